package dev.outboard.emulation.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.virtio.VirtioBlk;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.virtio.block.BlockQueue;
import dev.outboard.virtio.block.BlockRequest;
import dev.outboard.virtio.block.CompletionHandler;
import dev.outboard.virtio.block.VirtioBlock;
import dev.outboard.virtio.block.VirtioBlockDevice;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every virtio block device, whatever it is and however it is reached. Writes to it. */
abstract class VirtioBlockContract {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int KIB = 1024;

    /** How the queues are laid out: the features that the driver does without. */
    enum Withheld {
        NOTHING(0),
        PACKED(VirtioFeature.RING_PACKED),
        INDIRECT(VirtioFeature.INDIRECT_DESC),
        EVENT_INDEX(VirtioFeature.EVENT_IDX),
        INDIRECT_AND_EVENT_INDEX(VirtioFeature.INDIRECT_DESC | VirtioFeature.EVENT_IDX),
        ALL(VirtioFeature.RING_PACKED | VirtioFeature.INDIRECT_DESC | VirtioFeature.EVENT_IDX);

        final long features;

        Withheld(long features) {
            this.features = features;
        }
    }

    private VirtioBlock device;

    /** The device's address; asked for each test. */
    abstract String address() throws IOException;

    /** The features that the device is known to have. */
    long expectedFeatures() {
        return VirtioFeature.VERSION_1 | VirtioFeature.INDIRECT_DESC | VirtioFeature.EVENT_IDX;
    }

    private VirtioBlock open() throws IOException {
        return open(Withheld.NOTHING);
    }

    private VirtioBlock open(Withheld withheld) throws IOException {
        PciFunction function = Pci.open(address());
        device = VirtioBlock.open(function, VirtioBlock.REQUEST_TIMEOUT, withheld.features);
        return device;
    }

    @AfterEach
    void closeDevice() {
        if (device != null) {
            device.close();
        }
    }

    private static void fill(MemorySegment segment, long seed) {
        Random random = new Random(seed);
        for (long i = 0; i < segment.byteSize(); i += Long.BYTES) {
            segment.set(ValueLayout.JAVA_LONG_UNALIGNED, i, random.nextLong());
        }
    }

    private static boolean isFilled(MemorySegment segment, long seed) {
        Random random = new Random(seed);
        for (long i = 0; i < segment.byteSize(); i += Long.BYTES) {
            if (segment.get(ValueLayout.JAVA_LONG_UNALIGNED, i) != random.nextLong()) {
                return false;
            }
        }
        return true;
    }

    @Test
    void aDeviceSaysWhatItIs() throws IOException {
        open();
        assertThat(device.features() & expectedFeatures()).isEqualTo(expectedFeatures());
        assertThat(device.blockCount()).isPositive();
        assertThat(device.blockSizeBytes()).isGreaterThanOrEqualTo(VirtioBlk.SECTOR_BYTES);
        assertThat(device.serial()).isEqualTo(expectedSerial());
        assertThat(device.maximumQueues()).isPositive();
        assertThat(device.isReadOnly()).isFalse();
    }

    String expectedSerial() {
        return "OB0001";
    }

    @ParameterizedTest
    @EnumSource
    void whatIsWrittenIsReadInEveryLayoutOfTheQueues(Withheld withheld) throws IOException {
        open(withheld);
        assertThat(device.features() & withheld.features).isZero();
        try (BlockQueue queue = device.createQueue(16);
                DmaMemory buffer = device.dma().allocate(64 * KIB)) {
            for (int i = 0; i < 300; i++) {
                fill(buffer.segment(), i);
                queue.write(i % 7, buffer).await(SOON);
                buffer.segment().fill((byte) 0);
                queue.read(i % 7, buffer).await(SOON);
                assertThat(isFilled(buffer.segment(), i)).as("round %d", i).isTrue();
            }
            queue.flush().await(SOON);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8, 12, 64, 128, 512, 1024})
    void whatIsWrittenIsRead(int kib) throws IOException {
        open();
        int size = (int) Math.min((long) kib * KIB, device.maximumTransferBytes());
        try (BlockQueue queue = device.createQueue(4);
                DmaMemory written = device.dma().allocate(size);
                DmaMemory read = device.dma().allocate(size)) {
            fill(written.segment(), kib);
            queue.write(3, written).await(SOON);
            queue.flush().await(SOON);
            queue.read(3, read).await(SOON);
            assertThat(read.segment().mismatch(written.segment())).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 512, 2047, 4095})
    void aBufferMayStartAnywhere(int offset) throws IOException {
        open();
        int size = 64 * KIB;
        int blocks = size / device.blockSizeBytes();
        try (BlockQueue queue = device.createQueue(4);
                DmaMemory memory = device.dma().allocate(3L * size)) {
            memory.segment().fill((byte) 0x5a);
            fill(memory.segment().asSlice(offset, size), offset);
            queue.write(0, memory.slice(offset, size)).await(SOON);
            int[] done = {-1};
            long target = size + 8192L + offset;
            queue.read(0, blocks, memory, target, request -> done[0] = request.status(), 0);
            while (done[0] < 0) {
                queue.poll();
            }
            assertThat(done[0]).isZero();
            assertThat(isFilled(memory.segment().asSlice(target, size), offset)).isTrue();
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, target - 1)).isEqualTo((byte) 0x5a);
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, target + size))
                    .isEqualTo((byte) 0x5a);
        }
    }

    @Test
    void blocksPastTheEndAreRefusedBeforeTheyAreSubmitted() throws IOException {
        open();
        try (BlockQueue queue = device.createQueue(4);
                DmaMemory buffer = device.dma().allocate(2L * device.blockSizeBytes())) {
            long last = device.blockCount() - 1;
            assertThatThrownBy(() -> queue.read(last, buffer))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("has the blocks 0 to " + last);
            assertThatThrownBy(() -> queue.write(-1, buffer)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> queue.read(Long.MAX_VALUE, buffer)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(queue.room()).isEqualTo(4);
        }
    }

    @Test
    void theLastBlockIsThere() throws IOException {
        open();
        try (BlockQueue queue = device.createQueue(4);
                DmaMemory buffer = device.dma().allocate(device.blockSizeBytes())) {
            fill(buffer.segment(), 1);
            queue.write(device.blockCount() - 1, buffer).await(SOON);
            buffer.segment().fill((byte) 0);
            queue.read(device.blockCount() - 1, buffer).await(SOON);
            assertThat(isFilled(buffer.segment(), 1)).isTrue();
        }
    }

    @Test
    void aFullQueueRefusesAndGoesOnOncePolled() throws IOException {
        open();
        try (BlockQueue queue = device.createQueue(2);
                DmaMemory buffer = device.dma().allocate(2L * device.blockSizeBytes())) {
            List<Long> done = new ArrayList<>();
            CompletionHandler handler = request -> done.add(request.context());
            queue.read(0, 1, buffer, 0, handler, 1);
            queue.read(0, 1, buffer, 0, handler, 2);
            assertThat(queue.room()).isZero();
            assertThatThrownBy(() -> queue.read(0, 1, buffer, 0, handler, 3))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("full");
            while (done.size() < 2) {
                queue.poll();
            }
            assertThat(done).containsExactlyInAnyOrder(1L, 2L);
            assertThat(queue.room()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aHandlerMaySubmitTheNextAtFullDepth(Withheld withheld) throws IOException {
        open(withheld);
        int depth = 16;
        int total = 2_000;
        try (BlockQueue queue = device.createQueue(depth);
                DmaMemory buffer = device.dma().allocate((long) depth * device.blockSizeBytes())) {
            int[] counts = new int[2];
            CompletionHandler handler = new CompletionHandler() {
                @Override
                public void completed(BlockRequest request) {
                    assertThat(request.status()).isZero();
                    counts[1]++;
                    if (counts[0] < total) {
                        submit(request.context());
                    }
                }

                void submit(long context) {
                    counts[0]++;
                    try {
                        queue.read(context, 1, buffer, context * device.blockSizeBytes(), this, context);
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                }
            };
            for (long i = 0; i < depth; i++) {
                counts[0]++;
                queue.read(i, 1, buffer, i * device.blockSizeBytes(), handler, i);
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
        open();
        int blocks = 256;
        long seed = System.nanoTime();
        Random random = new Random(seed);
        long[] seeds = new long[blocks];
        try (BlockQueue queue = device.createQueue(16, waiting);
                DmaMemory buffer = device.dma().allocate(device.blockSizeBytes())) {
            for (int i = 0; i < 2 * blocks; i++) {
                int block = random.nextInt(blocks);
                seeds[block] = random.nextLong(1, Long.MAX_VALUE);
                fill(buffer.segment(), seeds[block]);
                queue.write(block, buffer).await(SOON);
            }
            for (int block = 0; block < blocks; block++) {
                if (seeds[block] != 0) {
                    queue.read(block, buffer).await(SOON);
                    assertThat(isFilled(buffer.segment(), seeds[block])).isTrue();
                }
            }
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    /** With an interrupt for each, and by a flag alone. */
    @ParameterizedTest
    @EnumSource
    void aRequestIsWaitedForByInterruptInEveryLayout(Withheld withheld) throws IOException {
        open(withheld);
        try (BlockQueue queue = device.createQueue(2, Waiting.INTERRUPT);
                DmaMemory buffer = device.dma().allocate(device.blockSizeBytes())) {
            for (int i = 0; i < 100; i++) {
                queue.read(i, buffer).await(SOON);
            }
        }
    }

    @Test
    void queuesOfSeveralThreadsDoNotDisturbEachOther() throws Exception {
        open();
        int threads = Math.min(3, device.maximumQueues());
        try (var executor = Executors.newFixedThreadPool(threads)) {
            List<Future<Void>> results = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                long first = 1000L * i;
                Callable<Void> task = () -> {
                    try (BlockQueue queue = device.createQueue(8);
                            DmaMemory buffer = device.dma().allocate(device.blockSizeBytes())) {
                        for (long n = 0; n < 200; n++) {
                            fill(buffer.segment(), first + n);
                            queue.write(first + n, buffer).await(SOON);
                        }
                        for (long n = 0; n < 200; n++) {
                            queue.read(first + n, buffer).await(SOON);
                            assertThat(isFilled(buffer.segment(), first + n)).isTrue();
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
    void queuesCanBeGivenBackAndTakenAgain() throws IOException {
        open();
        try (DmaMemory buffer = device.dma().allocate(device.blockSizeBytes())) {
            for (int i = 0; i < 50; i++) {
                try (BlockQueue queue = device.createQueue(1 + i % 8)) {
                    queue.read(i, buffer).await(SOON);
                }
            }
        }
    }

    @Test
    void aDeviceCanBeOpenedAgain() throws IOException {
        for (int i = 0; i < 3; i++) {
            open();
            try (BlockQueue queue = device.createQueue(1);
                    DmaMemory buffer = device.dma().allocate(device.blockSizeBytes())) {
                queue.write(i, buffer).await(SOON);
            }
            device.close();
        }
    }

    @Test
    void aDiskThatCannotFlushIsFlushedAtOnce() throws IOException {
        device = VirtioBlock.open(Pci.open(address()), VirtioBlock.REQUEST_TIMEOUT, VirtioBlk.FEATURE_FLUSH);
        try (BlockQueue queue = device.createQueue(1);
                DmaMemory buffer = device.dma().allocate(device.blockSizeBytes())) {
            for (int i = 0; i < 3; i++) {
                queue.write(i, buffer).await(SOON);
                queue.flush().await(SOON);
            }
            assertThat(queue.room()).isEqualTo(1);
        }
    }

    @Test
    void blocksThatAreZeroedReadAsZeroes() throws IOException {
        open();
        assumeTrue((device.features() & VirtioBlk.FEATURE_WRITE_ZEROES) != 0, "the device does not write zeroes");
        try (BlockQueue queue = device.createQueue(1);
                DmaMemory buffer = device.dma().allocate(16L * device.blockSizeBytes())) {
            fill(buffer.segment(), 5);
            queue.write(100, buffer).await(SOON);
            queue.writeZeroes(104, 4, false).await(SOON);
            queue.writeZeroes(112, 2, true).await(SOON);
            MemorySegment expected = MemorySegment.ofArray(buffer.segment().toArray(ValueLayout.JAVA_BYTE));
            long block = device.blockSizeBytes();
            expected.asSlice(4 * block, 4 * block).fill((byte) 0);
            expected.asSlice(12 * block, 2 * block).fill((byte) 0);
            queue.read(100, buffer).await(SOON);
            assertThat(buffer.segment().mismatch(expected)).isEqualTo(-1);
        }
    }

    @Test
    void blocksCanBeDiscarded() throws IOException {
        open();
        assumeTrue((device.features() & VirtioBlk.FEATURE_DISCARD) != 0, "the device does not discard");
        try (BlockQueue queue = device.createQueue(1);
                DmaMemory buffer = device.dma().allocate(16L * device.blockSizeBytes())) {
            fill(buffer.segment(), 5);
            queue.write(0, buffer).await(SOON);
            queue.discard(8, 8).await(SOON);
            queue.read(0, buffer).await(SOON);
            assertThatThrownBy(() -> queue.discard(device.blockCount() - 1, 2))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            fill(buffer.segment(), 6);
            queue.write(8, buffer).await(SOON);
            queue.read(8, buffer).await(SOON);
            assertThat(isFilled(buffer.segment(), 6)).isTrue();
        }
    }

    @Test
    void aBlockDeviceSplitsWhatTheDeviceCannotTransferAtOnce() throws IOException {
        open();
        long size = Math.min(
                device.blockCount() * device.blockSizeBytes() / 2,
                device.maximumTransferBytes() + device.blockSizeBytes());
        try (VirtioBlockDevice disk = new VirtioBlockDevice(device, Waiting.POLL);
                DmaMemory buffer = disk.allocate(size)) {
            fill(buffer.segment(), 7);
            disk.write(1, buffer);
            disk.flush();
            buffer.segment().fill((byte) 0);
            disk.read(1, buffer);
            assertThat(isFilled(buffer.segment(), 7)).isTrue();
        }
    }

    @Test
    void closingTwiceIsHarmless() throws IOException {
        open();
        BlockQueue queue = device.createQueue(1);
        queue.close();
        queue.close();
        assertThatThrownBy(queue::flush).hasMessageContaining("closed");
        BlockQueue left = device.createQueue(1);
        device.close();
        device.close();
        assertThatThrownBy(left::flush).hasMessageContaining("closed");
    }
}
