package dev.outboard.nvme.load;

import com.sun.management.ThreadMXBean;
import dev.outboard.linux.Affinity;
import dev.outboard.memory.DmaMemory;
import dev.outboard.nvme.CompletionHandler;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.nvme.NvmeRequest;
import dev.outboard.nvme.QueuePair;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a queue pair filled with requests, each with a buffer of its own, and measures every one. Allocates nothing while
 * it measures.
 *
 * <p>{@link #run} polls on the calling platform thread; {@link #operations} and {@link #stop} are for others.
 */
public final class LoadGenerator implements AutoCloseable {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    /** Polls without a completion that take some 10 µs: a fast device has one in that time. */
    private static final int IDLE_POLLS = 1 << 12;

    private static final long NANOS_A_SECOND = 1_000_000_000L;
    private static final Duration VERIFY_TIMEOUT = Duration.ofSeconds(10);
    private static final long SEED = 0x9e3779b97f4a7c15L;
    private static final long MULTIPLIER = 0x2545f4914f6cdd1dL;

    private final LoadOptions options;
    private final NvmeNamespace namespace;
    private final LatencyCounts latency = new LatencyCounts();
    private final QueuePair queue;
    private final DmaMemory memory;
    // One object, not a lambda a request.
    private final CompletionHandler handler = this::completed;

    private final int blocks;
    private final long firstPlace;
    private final long places;
    private final int depth;
    private final long intervalNanos;
    private final @Nullable LoadPattern pattern;
    private final boolean random;
    private final int readPercent;
    private final long[] startNanos;
    /** Buffers that are not on their way, while a rate holds them back. */
    private final int[] resting;

    private int restingCount;
    private long nextDueNanos;
    private long randomState;
    private long nextPlace;
    private boolean nextIsRead;
    private int inFlight;
    private @Nullable IOException failure;

    /** The time of the completions of one poll, read with the first of them; 0 before. */
    private long batchNanos;

    private boolean measuring;
    private boolean draining;
    private long phaseEndNanos;
    private long measuredSinceNanos;
    private long measuredNanos;
    private long allocatedBefore;
    private long allocatedBytes;
    private long errors;
    private long count;
    private volatile long operations;
    private volatile boolean stopped;

    /**
     * Prepares a load: a queue pair and the buffers.
     *
     * @param controller the controller
     * @param namespace where on it
     * @param options what to do
     * @throws IllegalArgumentException if the options do not fit the namespace
     * @throws IOException if the controller refuses the queue pair or there is no memory
     */
    public LoadGenerator(NvmeController controller, NvmeNamespace namespace, LoadOptions options) throws IOException {
        this(controller, namespace, options, 0, 1);
    }

    /** The same for one of several jobs, each of which has its own part of the span. */
    LoadGenerator(NvmeController controller, NvmeNamespace namespace, LoadOptions options, int job, int jobs)
            throws IOException {
        int size = options.blockSizeBytes();
        if (size < namespace.blockSizeBytes()
                || size % namespace.blockSizeBytes() != 0
                || size > controller.maximumTransferBytes()
                || size > namespace.sizeBytes()) {
            throw new IllegalArgumentException("a request of " + size + " bytes does not fit: " + namespace + ", and "
                    + controller.address() + " transfers up to " + controller.maximumTransferBytes() + " at once");
        }
        this.namespace = namespace;
        this.options = options;
        blocks = size / namespace.blockSizeBytes();
        long span = options.spanBytes() == 0 ? namespace.sizeBytes() : options.spanBytes();
        if (span / jobs < size || span > namespace.sizeBytes()) {
            throw new IllegalArgumentException("a span of " + span + " bytes does not hold " + jobs + " requests of "
                    + size + ", or is more than the " + namespace.sizeBytes() + " bytes of " + namespace);
        }
        places = span / size / jobs;
        firstPlace = job * places;
        randomState = SEED * (2L * job + 1);
        depth = options.queueDepth();
        resting = new int[depth];
        intervalNanos = options.requestsPerSecond() == 0 ? 0 : NANOS_A_SECOND / options.requestsPerSecond();
        random = options.operation().isRandom();
        readPercent = options.readPercent();
        startNanos = new long[options.queueDepth()];
        queue = controller.createQueuePair(options.queueDepth());
        nextPlace = -1;
        chooseNext();
        try {
            memory = controller.dma().allocate((long) size * options.queueDepth());
            pattern = options.verify() ? new LoadPattern(memory.segment(), size, places, depth) : null;
        } catch (IOException e) {
            queue.close();
            throw e;
        }
    }

    /**
     * Runs the load.
     *
     * @return what it reached
     * @throws IOException if the device fails as a whole; a request that fails is counted
     */
    @SuppressWarnings("ThreadPriorityCheck") // Nothing relies on it.
    public LoadResult run() throws IOException {
        BitSet cpus = Affinity.get();
        if (options.cpu().isPresent()) {
            Affinity.pin(options.cpu().getAsInt());
        }
        try {
            batchNanos = System.nanoTime();
            phaseEndNanos = batchNanos + options.warmUp().toNanos();
            nextDueNanos = batchNanos;
            Arrays.fill(startNanos, batchNanos);
            for (int i = 0; i < depth; i++) {
                submitOrRest(i);
            }
            int idle = 0;
            while (inFlight > 0 || (restingCount > 0 && !draining)) {
                batchNanos = 0;
                if (restingCount > 0 && !draining) {
                    submitDue();
                }
                if (queue.poll() > 0) {
                    idle = 0;
                    tick();
                } else if (++idle % IDLE_POLLS == 0 || inFlight == 0) {
                    tick();
                    // The device may be a thread that waits for this very processor.
                    Thread.yield();
                } else if (inFlight > 1) {
                    // The device stores several completions in the line that is polled: it is not to be taken from it
                    // for each.
                    Thread.onSpinWait();
                }
                if (failure != null) {
                    throw failure;
                }
            }
            if (pattern != null && errors == 0) {
                verifyAll(pattern);
            }
        } finally {
            Affinity.set(cpus);
        }
        double seconds = measuredNanos / 1e9;
        Histogram histogram = latency();
        return new LoadResult(
                seconds,
                count,
                count * options.blockSizeBytes(),
                errors,
                allocatedBytes,
                pattern == null ? 0 : pattern.verified(),
                pattern == null ? 0 : pattern.mismatches(),
                LoadResult.Latency.of(histogram),
                LoadResult.Bucket.of(histogram));
    }

    /** How long requests took, in nanoseconds. */
    Histogram latency() {
        return latency.histogram();
    }

    private void submitOrRest(int buffer) {
        if (intervalNanos == 0) {
            submit(buffer);
        } else {
            resting[restingCount++] = buffer;
        }
    }

    /** Submits what the rate allows by now. A device that is late is not made up for: that would be another load. */
    private void submitDue() {
        long now = System.nanoTime();
        while (restingCount > 0 && now - nextDueNanos >= 0) {
            int buffer = resting[--restingCount];
            startNanos[buffer] = now;
            submit(buffer);
            nextDueNanos = Math.max(nextDueNanos + intervalNanos, now - depth * intervalNanos);
        }
    }

    /** Reads all that was written once more: also what no read of the load has met. */
    private void verifyAll(LoadPattern written) throws IOException {
        DmaMemory buffer = memory.slice(0, options.blockSizeBytes());
        for (long place = written.next(0); place >= 0 && !stopped; place = written.next(place + 1)) {
            queue.read(namespace, (firstPlace + place) * blocks, buffer).await(VERIFY_TIMEOUT);
            written.verify(0, place);
        }
    }

    private void submit(int buffer) {
        boolean reads = nextIsRead;
        long place = nextPlace;
        long block = (firstPlace + place) * blocks;
        long offset = (long) buffer * options.blockSizeBytes();
        if (pattern != null) {
            pattern.prepare(buffer, place, reads);
        }
        try {
            if (reads) {
                queue.read(namespace, block, blocks, memory, offset, handler, buffer);
            } else {
                queue.write(namespace, block, blocks, memory, offset, handler, buffer);
            }
            inFlight++;
        } catch (IOException e) {
            failure = e;
        }
        chooseNext();
    }

    /** Chooses what the next request does: ahead, while there is time. */
    private void chooseNext() {
        nextIsRead = readPercent == 100 || (readPercent > 0 && random(100) < readPercent);
        if (random) {
            nextPlace = random(places);
        } else {
            nextPlace = nextPlace + 1 == places ? 0 : nextPlace + 1;
        }
    }

    /** A number below the bound: xorshift64*, without the modulo. */
    private long random(long bound) {
        long x = randomState;
        x ^= x >>> 12;
        x ^= x << 25;
        x ^= x >>> 27;
        randomState = x;
        return Math.unsignedMultiplyHigh(x * MULTIPLIER, bound);
    }

    private void completed(NvmeRequest request) {
        inFlight--;
        int buffer = (int) request.context();
        if (pattern != null && request.status() == 0) {
            pattern.completed(buffer);
        }
        boolean last = measuring && count + 1 == options.requests();
        // First, so that the device works while the rest is done here.
        if (!draining && !last) {
            submitOrRest(buffer);
        }
        // One request's time ends where that of the next one begins, so nothing is left out. Of a request that came and
        // went
        // within one poll it is not known yet.
        if (batchNanos == 0 || batchNanos == startNanos[buffer]) {
            batchNanos = System.nanoTime();
        }
        long nanos = batchNanos - startNanos[buffer];
        startNanos[buffer] = batchNanos;
        if (request.status() != 0) {
            // Whenever it was: what fails while the device warms up or empties its queue is no less of a failure.
            errors++;
        }
        if (measuring) {
            latency.record(nanos);
            count++;
            if (last) {
                endMeasuring(batchNanos);
            }
        }
    }

    /** Goes from warm-up to measuring to draining when it is time. */
    private void tick() {
        long now = batchNanos == 0 ? System.nanoTime() : batchNanos;
        if (now - phaseEndNanos >= 0 || stopped) {
            if (!measuring && !draining && !stopped) {
                measuring = true;
                measuredSinceNanos = now;
                phaseEndNanos = now + options.duration().toNanos();
                allocatedBefore = THREADS.getCurrentThreadAllocatedBytes();
            } else if (!draining) {
                endMeasuring(now);
            }
        }
        operations = count;
    }

    private void endMeasuring(long now) {
        allocatedBytes = measuring ? THREADS.getCurrentThreadAllocatedBytes() - allocatedBefore : 0;
        measuredNanos = measuring ? now - measuredSinceNanos : 0;
        measuring = false;
        draining = true;
    }

    /**
     * How far it is.
     *
     * @return how many requests were measured up to about now; for any thread
     */
    public long operations() {
        return operations;
    }

    /** Has {@link #run} return soon, with what was measured so far. For any thread. */
    public void stop() {
        stopped = true;
    }

    @Override
    public void close() {
        queue.close();
        memory.close();
    }
}
