package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every controller, whatever it is and however it is reached. Writes to the first namespace. */
abstract class NvmeContract {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int KIB = 1024;

    private NvmeController controller;
    private NvmeNamespace namespace;

    /** Opens the controller; called for each test. */
    abstract NvmeController open() throws IOException;

    @BeforeEach
    void openController() throws IOException {
        controller = open();
        namespace = controller.namespaces().getFirst();
    }

    @AfterEach
    void closeController() {
        if (controller != null) {
            controller.close();
        }
    }

    private static void fill(MemorySegment segment, long seed) {
        Random random = new Random(seed);
        for (long i = 0; i < segment.byteSize(); i += Long.BYTES) {
            segment.set(ValueLayout.JAVA_LONG_UNALIGNED, i, random.nextLong());
        }
    }

    private static void assertFilled(MemorySegment segment, long seed) {
        Random random = new Random(seed);
        for (long i = 0; i < segment.byteSize(); i += Long.BYTES) {
            long expected = random.nextLong();
            if (segment.get(ValueLayout.JAVA_LONG_UNALIGNED, i) != expected) {
                assertThat(segment.get(ValueLayout.JAVA_LONG_UNALIGNED, i))
                        .as("seed %d, byte %d", seed, i)
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void aControllerSaysWhatItIs() {
        assertThat(controller.identity().modelNumber()).isNotEmpty();
        assertThat(controller.identity().serialNumber()).isNotEmpty();
        assertThat(controller.maximumQueuePairs()).isPositive();
        assertThat(namespace.blockCount()).isPositive();
        assertThat(controller.namespace(namespace.id())).isEqualTo(namespace);
    }

    @Test
    void aNamespaceThatIsNotThereIsRefusedWithThoseThatAre() {
        assertThatThrownBy(() -> controller.namespace(4711))
                .hasMessageContaining("no namespace 4711")
                .hasMessageContaining("[" + namespace.id());
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8, 12, 64, 128, 512, 1024})
    void whatIsWrittenIsRead(int kib) throws IOException {
        int size = (int) Math.min((long) kib * KIB, controller.maximumTransferBytes());
        try (QueuePair queue = controller.createQueuePair(4);
                DmaMemory written = controller.dma().allocate(size);
                DmaMemory read = controller.dma().allocate(size)) {
            fill(written.segment(), kib);
            queue.write(namespace, 3, written).await(SOON);
            queue.flush(namespace).await(SOON);
            queue.read(namespace, 3, read).await(SOON);
            assertThat(read.segment().mismatch(written.segment())).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 512, 2048, 4092})
    void aBufferMayStartAnywhereInAPage(int offset) throws IOException {
        long size = 64 * KIB;
        try (QueuePair queue = controller.createQueuePair(4);
                DmaMemory memory = controller.dma().allocate(3 * size)) {
            int blocks = (int) (size / namespace.blockSizeBytes());
            memory.segment().fill((byte) 0x5a);
            DmaMemory written = memory.slice(offset, size);
            fill(written.segment().asSlice(0, size), offset);
            queue.write(namespace, 0, written).await(SOON);
            int[] done = {-1};
            queue.read(namespace, 0, blocks, memory, size + 8192 + offset, r -> done[0] = r.status(), 0);
            while (done[0] < 0) {
                queue.poll();
            }
            assertThat(done[0]).isZero();
            assertFilled(memory.segment().asSlice(size + 8192 + offset, size), offset);
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, size + 8191 + offset))
                    .isEqualTo((byte) 0x5a);
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 2 * size + 8192 + offset))
                    .isEqualTo((byte) 0x5a);
        }
    }

    @Test
    void blocksPastTheEndAreRefusedBeforeTheyAreSubmitted() throws IOException {
        try (QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(2L * namespace.blockSizeBytes())) {
            long last = namespace.blockCount() - 1;
            assertThatThrownBy(() -> queue.read(namespace, last, buffer))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("has the blocks 0 to " + last);
            assertThatThrownBy(() -> queue.write(namespace, -1, buffer)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> queue.read(namespace, Long.MAX_VALUE, buffer))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(queue.room()).isEqualTo(4);
        }
    }

    @Test
    void theLastBlockIsThere() throws IOException {
        try (QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(namespace.blockSizeBytes())) {
            fill(buffer.segment(), 1);
            queue.write(namespace, namespace.blockCount() - 1, buffer).await(SOON);
            buffer.segment().fill((byte) 0);
            queue.read(namespace, namespace.blockCount() - 1, buffer).await(SOON);
            assertFilled(buffer.segment(), 1);
        }
    }

    @Test
    void aTransferThatIsTooLargeIsRefusedWithTheLimit() throws IOException {
        long limit = controller.maximumTransferBytes();
        try (QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(limit + namespace.blockSizeBytes())) {
            assertThatThrownBy(() -> queue.read(namespace, 0, buffer))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(Long.toString(limit));
        }
    }

    @Test
    void aFullQueueRefusesAndGoesOnOncePolled() throws IOException {
        try (QueuePair queue = controller.createQueuePair(2);
                DmaMemory buffer = controller.dma().allocate(2L * namespace.blockSizeBytes())) {
            List<Long> done = new ArrayList<>();
            CompletionHandler handler = request -> done.add(request.context());
            queue.read(namespace, 0, 1, buffer, 0, handler, 1);
            queue.read(namespace, 0, 1, buffer, 0, handler, 2);
            assertThat(queue.room()).isZero();
            assertThatThrownBy(() -> queue.read(namespace, 0, 1, buffer, 0, handler, 3))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("full");
            while (done.size() < 2) {
                queue.poll();
            }
            assertThat(done).containsExactlyInAnyOrder(1L, 2L);
            assertThat(queue.room()).isEqualTo(2);
        }
    }

    @Test
    void aHandlerMaySubmitTheNextAtFullDepth() throws IOException {
        int depth = 8;
        int total = 2_000;
        try (QueuePair queue = controller.createQueuePair(depth);
                DmaMemory buffer = controller.dma().allocate((long) depth * namespace.blockSizeBytes())) {
            int[] counts = new int[2];
            CompletionHandler handler = new CompletionHandler() {
                @Override
                public void completed(NvmeRequest request) {
                    assertThat(request.status()).isZero();
                    counts[1]++;
                    if (counts[0] < total) {
                        submit(request.context());
                    }
                }

                void submit(long context) {
                    counts[0]++;
                    try {
                        queue.read(namespace, context, 1, buffer, context * namespace.blockSizeBytes(), this, context);
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                }
            };
            for (long i = 0; i < depth; i++) {
                counts[0]++;
                queue.read(namespace, i, 1, buffer, i * namespace.blockSizeBytes(), handler, i);
            }
            while (counts[1] < total) {
                queue.poll();
            }
            assertThat(queue.room()).isEqualTo(depth);
        }
    }

    @ParameterizedTest
    @EnumSource
    void manyRandomWritesAreAllReadBack(Waiting waiting) throws IOException {
        int blocks = 256;
        long seed = System.nanoTime();
        Random random = new Random(seed);
        long[] seeds = new long[blocks];
        int bytes = namespace.blockSizeBytes();
        try (QueuePair queue = controller.createQueuePair(16, waiting);
                DmaMemory buffer = controller.dma().allocate(bytes)) {
            for (int i = 0; i < 2 * blocks; i++) {
                int block = random.nextInt(blocks);
                seeds[block] = random.nextLong(1, Long.MAX_VALUE);
                fill(buffer.segment(), seeds[block]);
                queue.write(namespace, block, buffer).await(SOON);
            }
            for (int block = 0; block < blocks; block++) {
                if (seeds[block] != 0) {
                    queue.read(namespace, block, buffer).await(SOON);
                    assertFilled(buffer.segment(), seeds[block]);
                }
            }
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    @ParameterizedTest
    @EnumSource
    void completionsAreWaitedForWithHandlers(Waiting waiting) throws IOException {
        int depth = 4;
        try (QueuePair queue = controller.createQueuePair(depth, waiting);
                DmaMemory buffer = controller.dma().allocate((long) depth * namespace.blockSizeBytes())) {
            assertThat(queue.await(Duration.ofMillis(1))).isZero();
            int[] done = new int[1];
            for (int round = 0; round < 50; round++) {
                for (int i = 0; i < depth; i++) {
                    long offset = (long) i * namespace.blockSizeBytes();
                    queue.read(namespace, i, 1, buffer, offset, request -> done[0]++, i);
                }
                for (int completed = 0; completed < depth; ) {
                    int some = queue.await(SOON);
                    assertThat(some).isPositive();
                    completed += some;
                }
            }
            assertThat(done[0]).isEqualTo(50 * depth);
        }
    }

    @Test
    void queuePairsOfSeveralThreadsDoNotDisturbEachOther() throws Exception {
        int threads = Math.min(3, controller.maximumQueuePairs());
        try (var executor = Executors.newFixedThreadPool(threads)) {
            List<Future<Void>> results = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                long first = 1000L * i;
                Callable<Void> task = () -> {
                    try (QueuePair queue = controller.createQueuePair(8);
                            DmaMemory buffer = controller.dma().allocate(namespace.blockSizeBytes())) {
                        for (long n = 0; n < 200; n++) {
                            fill(buffer.segment(), first + n);
                            queue.write(namespace, first + n, buffer).await(SOON);
                        }
                        for (long n = 0; n < 200; n++) {
                            queue.read(namespace, first + n, buffer).await(SOON);
                            assertFilled(buffer.segment(), first + n);
                        }
                        return null;
                    }
                };
                results.add(executor.submit(task));
            }
            for (Future<Void> result : results) {
                result.get();
            }
        }
    }

    @Test
    void queuePairsCanBeClosedAndCreatedAgain() throws IOException {
        try (DmaMemory buffer = controller.dma().allocate(namespace.blockSizeBytes())) {
            for (int i = 0; i < 50; i++) {
                try (QueuePair queue = controller.createQueuePair(1 + i)) {
                    queue.read(namespace, i, buffer).await(SOON);
                }
            }
        }
    }

    @Test
    void aControllerCanBeOpenedAgain() throws IOException {
        for (int i = 0; i < 3; i++) {
            controller.close();
            controller = open();
            namespace = controller.namespaces().getFirst();
            whatIsWrittenIsRead(4);
        }
    }

    @Test
    void aBlockDeviceSplitsWhatTheControllerCannotTransferAtOnce() throws IOException {
        long size = Math.min(namespace.sizeBytes(), 2 * controller.maximumTransferBytes() + namespace.blockSizeBytes());
        try (NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.POLL);
                DmaMemory buffer = disk.allocate(size)) {
            fill(buffer.segment(), 7);
            disk.write(1, buffer);
            disk.flush();
            buffer.segment().fill((byte) 0);
            disk.read(1, buffer);
            assertFilled(buffer.segment(), 7);
        }
    }

    @Test
    void closingTwiceIsHarmless() throws IOException {
        QueuePair queue = controller.createQueuePair(1);
        queue.close();
        queue.close();
        assertThatThrownBy(() -> queue.flush(namespace)).hasMessageContaining("closed");
        controller.close();
        controller.close();
    }
}
