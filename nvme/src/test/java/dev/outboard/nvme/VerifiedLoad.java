package dev.outboard.nvme;

import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Reads and writes with several requests on their way at a time, in any order, that knows what each place may hold: what
 * was acknowledged last, or what was written since and never acknowledged. Sees to it that each request is told of once.
 */
final class VerifiedLoad {
    private static final int DEPTH = 4;
    private static final int PLACES = 12;
    /** More than two pages, so that lists of pages are needed. */
    private static final int PLACE_BYTES = 12 << 10;

    private static final int PAGE_BYTES = 4 << 10;
    /** Whatever was there before. */
    private static final Long ANYTHING = 0L;

    /** Data that nobody wrote. */
    static final class WrongDataException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        WrongDataException(String message) {
            super(message);
        }
    }

    private final Random random;
    private final Duration timeout;
    /** What each page of each place may hold: one thing, unless writes to it failed. */
    private final List<Set<Long>> possible = new ArrayList<>();

    private long patterns;

    VerifiedLoad(long seed, Duration timeout) {
        random = new Random(seed);
        patterns = seed << Integer.SIZE;
        this.timeout = timeout;
    }

    /** The requests of one queue pair. */
    private final class Batch {
        private final NvmeNamespace namespace;
        private final QueuePair queue;
        private final DmaMemory memory;
        private final BitSet freeBuffers = new BitSet();
        private final BitSet busyPlaces = new BitSet();
        private final int[] timesTold;
        private final int[] placeOf;
        private final long[] written;
        private int submitted;
        private int told;
        private int failed;

        Batch(NvmeNamespace namespace, QueuePair queue, DmaMemory memory, int requests) {
            this.namespace = namespace;
            this.queue = queue;
            this.memory = memory;
            timesTold = new int[requests];
            placeOf = new int[requests];
            written = new long[requests];
            freeBuffers.set(0, DEPTH);
        }

        /** Returns how many failed. */
        int run() throws IOException {
            while (told < timesTold.length) {
                while (submitted < timesTold.length && !freeBuffers.isEmpty()) {
                    submit();
                }
                queue.await(timeout);
            }
            queue.flush(namespace).await(timeout);
            return failed;
        }

        private void submit() throws IOException {
            int place = random.nextInt(PLACES);
            while (busyPlaces.get(place)) {
                place = (place + 1) % PLACES;
            }
            int request = submitted;
            int buffer = freeBuffers.nextSetBit(0);
            int blocks = PLACE_BYTES / namespace.blockSizeBytes();
            long firstBlock = (long) place * blocks;
            MemorySegment data = memory.segment().asSlice((long) buffer * PLACE_BYTES, PLACE_BYTES);
            placeOf[request] = place;
            busyPlaces.set(place);
            freeBuffers.clear(buffer);
            submitted++;
            boolean writes = possible.get(place).contains(ANYTHING) || random.nextBoolean();
            CompletionHandler handler = done -> completed(request, buffer, done.status());
            try {
                if (writes) {
                    written[request] = ++patterns;
                    for (int page = 0; page < PLACE_BYTES; page += PAGE_BYTES) {
                        data.set(ValueLayout.JAVA_LONG, page, patterns + page);
                    }
                    possible.get(place).add(patterns);
                    queue.write(namespace, firstBlock, blocks, memory, (long) buffer * PLACE_BYTES, handler, 0);
                } else {
                    data.fill((byte) 0);
                    queue.read(namespace, firstBlock, blocks, memory, (long) buffer * PLACE_BYTES, handler, 0);
                }
            } catch (IOException refused) {
                // That is how its end is told.
                timesTold[request]++;
                told++;
                throw refused;
            }
        }

        private void completed(int request, int buffer, int status) {
            timesTold[request]++;
            told++;
            int place = placeOf[request];
            busyPlaces.clear(place);
            freeBuffers.set(buffer);
            if (status != 0) {
                failed++;
            } else if (written[request] != 0) {
                possible.set(place, new HashSet<>(Set.of(written[request])));
            } else {
                check(place, memory.segment().asSlice((long) buffer * PLACE_BYTES, PLACE_BYTES));
            }
        }

        /** After the queue pair was closed. */
        void checkTold() {
            for (int request = 0; request < submitted; request++) {
                if (timesTold[request] != 1) {
                    throw new AssertionError("request " + request + " of " + submitted + " was told of "
                            + timesTold[request] + " times");
                }
            }
        }
    }

    private void check(int place, MemorySegment data) {
        for (int page = 0; page < PLACE_BYTES; page += PAGE_BYTES) {
            long found = data.get(ValueLayout.JAVA_LONG, page) - page;
            if (!possible.get(place).contains(found) && !possible.get(place).contains(ANYTHING)) {
                throw new WrongDataException("place " + place + " has 0x" + Long.toHexString(found) + " in its page at "
                        + page + ", and may have "
                        + possible.get(place).stream().map(Long::toHexString).toList());
            }
        }
    }

    /** Whatever is on the disk, nothing is known of it: for a device that was told lies. */
    void forget() {
        possible.clear();
    }

    /**
     * Reads and writes.
     *
     * @return how many requests failed
     * @throws IOException if the device failed as a whole
     * @throws AssertionError if a request was told of twice, or never
     */
    int run(NvmeController controller, Waiting waiting, int requests) throws IOException {
        NvmeNamespace namespace = checkedNamespace(controller);
        DmaMemory memory = controller.dma().allocate((long) DEPTH * PLACE_BYTES);
        QueuePair queue = controller.createQueuePair(DEPTH, waiting);
        Batch batch = new Batch(namespace, queue, memory, requests);
        try {
            return batch.run();
        } finally {
            queue.close();
            batch.checkTold();
            // Its memory goes with the controller, which may not have let go of it.
        }
    }

    /** Reads each place whose contents are known. */
    void verify(NvmeController controller, Waiting waiting) throws IOException {
        NvmeNamespace namespace = checkedNamespace(controller);
        int blocks = PLACE_BYTES / namespace.blockSizeBytes();
        try (QueuePair queue = controller.createQueuePair(1, waiting);
                DmaMemory memory = controller.dma().allocate(PLACE_BYTES)) {
            for (int place = 0; place < PLACES; place++) {
                if (!possible.get(place).contains(ANYTHING)) {
                    queue.read(namespace, (long) place * blocks, memory).await(timeout);
                    check(place, memory.segment());
                }
            }
        }
    }

    private NvmeNamespace checkedNamespace(NvmeController controller) throws IOException {
        while (possible.size() < PLACES) {
            possible.add(new HashSet<>(Set.of(ANYTHING)));
        }
        if (controller.namespaces().isEmpty()) {
            throw new IOException(controller.address() + " lists no namespaces");
        }
        return controller.namespaces().getFirst();
    }
}
