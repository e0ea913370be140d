package dev.outboard.nvme;

import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * A thread's work that keeps a queue pair full: writes places of its own, reads each back, compares, and writes it anew, until
 * it is told to stop. Every request has to end exactly once, well or aborted; what was aborted is done again, as long as the
 * device lets it.
 */
final class BusyQueue implements Callable<BusyQueue>, CompletionHandler {
    private static final int PLACES = 16;
    private static final int PLACE_BYTES = 4096;
    private static final Duration SOON = Duration.ofSeconds(60);

    private final NvmeController controller;
    private final NvmeNamespace namespace;
    private final Waiting waiting;
    private final int blocks;
    private final long firstBlock;
    private final boolean[] underWay = new boolean[PLACES];
    private final boolean[] reading = new boolean[PLACES];
    private final long[] seeds = new long[PLACES];
    private final Semaphore compared = new Semaphore(0);
    private volatile boolean stopping;
    private QueuePair queue;
    private DmaMemory buffers;
    private IOException refused;
    private long submitted;
    private long ended;
    private long aborted;

    /**
     * Writes to the controller's first namespace.
     *
     * @param index which of those that run at the same time
     */
    BusyQueue(NvmeController controller, Waiting waiting, int index) {
        this.controller = controller;
        this.waiting = waiting;
        namespace = controller.namespaces().getFirst();
        blocks = PLACE_BYTES / namespace.blockSizeBytes();
        firstBlock = (long) index * PLACES * blocks;
    }

    /** Works until {@link #stop}; then everything that is under way ends. The memory goes with the controller. */
    @Override
    public BusyQueue call() throws IOException {
        queue = controller.createQueuePair(PLACES, waiting);
        buffers = controller.dma().allocate((long) PLACES * PLACE_BYTES);
        for (int place = 0; place < PLACES; place++) {
            write(place);
        }
        while (!stopping || ended < submitted) {
            queue.await(SOON);
            if (refused != null) {
                throw refused;
            }
        }
        queue.close();
        return this;
    }

    @Override
    public void completed(NvmeRequest request) {
        int place = (int) request.context();
        if (!underWay[place]) {
            throw new AssertionError("the request of place " + place + " ended twice");
        }
        underWay[place] = false;
        ended++;
        try {
            next(request, place);
        } catch (IOException e) {
            // The poll says why, unless it had been told before.
            refused(place, e);
        } catch (IllegalStateException e) {
            if (buffers.segment().scope().isAlive()) {
                throw e;
            }
            refused(place, new IOException("the memory went with the controller", e));
        }
    }

    /** That is how the end of a request is told that could not be submitted. */
    private void refused(int place, IOException reason) {
        underWay[place] = false;
        ended++;
        refused = reason;
    }

    private void next(NvmeRequest request, int place) throws IOException {
        // Whether it was carried out nobody knows.
        boolean again = Status.code(request.status()) == Status.ABORTED_BY_HOST;
        if (again) {
            aborted++;
        } else if (request.status() != Status.SUCCESS) {
            throw new AssertionError(request.failure());
        } else if (reading[place]) {
            compare(place);
        }
        if (stopping) {
            return;
        }
        if (again || reading[place]) {
            write(place);
        } else {
            read(place);
        }
    }

    private MemorySegment buffer(int place) {
        return buffers.segment().asSlice((long) place * PLACE_BYTES, PLACE_BYTES);
    }

    private void write(int place) throws IOException {
        start(place);
        Random random = new Random(++seeds[place] * PLACES + place + firstBlock);
        for (long at = 0; at < PLACE_BYTES; at += Long.BYTES) {
            buffer(place).set(ValueLayout.JAVA_LONG, at, random.nextLong());
        }
        reading[place] = false;
        queue.write(namespace, firstBlock + (long) place * blocks, blocks, buffers, offset(place), this, place);
    }

    private void read(int place) throws IOException {
        start(place);
        buffer(place).fill((byte) 0);
        reading[place] = true;
        queue.read(namespace, firstBlock + (long) place * blocks, blocks, buffers, offset(place), this, place);
    }

    private static long offset(int place) {
        return (long) place * PLACE_BYTES;
    }

    private void start(int place) {
        underWay[place] = true;
        submitted++;
    }

    private void compare(int place) {
        Random random = new Random(seeds[place] * PLACES + place + firstBlock);
        for (long at = 0; at < PLACE_BYTES; at += Long.BYTES) {
            if (buffer(place).get(ValueLayout.JAVA_LONG, at) != random.nextLong()) {
                throw new AssertionError("place " + place + " of queue " + queue + ", byte " + at + ", seed "
                        + seeds[place] + ": not what was written");
            }
        }
        compared.release();
    }

    /** Waits, on another thread, until it has compared so many places from now on. */
    void awaitCompared(int places) throws InterruptedException {
        compared.drainPermits();
        if (!compared.tryAcquire(places, SOON.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError(queue + " is stuck");
        }
    }

    void stop() {
        stopping = true;
    }

    /** How many requests were aborted. */
    long aborted() {
        return aborted;
    }

    /** How many requests are under way; to be asked for when {@link #call} has ended. */
    long underWay() {
        return submitted - ended;
    }
}
