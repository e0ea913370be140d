package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.BlockChannel;
import dev.outboard.driver.Waiting;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A namespace as something else: a channel, a block device, futures. */
class NvmeViewsTest {
    private static final int BLOCK = 4096;
    private static final int SIZE = 2 << 20;

    @RegisterExtension
    final ServedModel model =
            new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(SIZE).withBlockSizeBytes(BLOCK));

    private NvmeController controller;
    private NvmeNamespace namespace;
    private NvmeBlockDevice disk;

    @BeforeEach
    void open() throws IOException {
        controller = Nvme.open(model.address());
        namespace = controller.namespace(1);
        disk = new NvmeBlockDevice(controller, namespace, Waiting.ADAPTIVE);
    }

    @AfterEach
    void close() {
        controller.close();
    }

    /** Random pieces, from heap and direct buffers, beside an array to which the same is done. */
    @Test
    void aChannelReadsAndWritesAnythingAnywhere() throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] expected = new byte[SIZE];
        try (BlockChannel channel = new BlockChannel(disk)) {
            assertThat(channel.size()).isEqualTo(SIZE);
            for (int i = 0; i < 200; i++) {
                int at = random.nextInt(SIZE);
                int longest = random.nextInt(4) == 0 ? 600_000 : 3 * BLOCK;
                byte[] bytes = new byte[random.nextInt(Math.min(longest, SIZE - at) + 1)];
                random.nextBytes(bytes);
                ByteBuffer buffer = random.nextBoolean()
                        ? ByteBuffer.wrap(bytes)
                        : ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
                assertThat(channel.position(at).write(buffer)).isEqualTo(bytes.length);
                assertThat(channel.position()).isEqualTo(at + bytes.length);
                System.arraycopy(bytes, 0, expected, at, bytes.length);
                int from = random.nextInt(SIZE);
                byte[] read = new byte[random.nextInt(Math.min(longest, SIZE - from) + 1)];
                channel.read(from, MemorySegment.ofArray(read));
                assertThat(MemorySegment.ofArray(read)
                                .mismatch(MemorySegment.ofArray(expected).asSlice(from, read.length)))
                        .as("seed %d, step %d", seed, i)
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void aChannelEndsWhereTheDeviceEnds() throws IOException {
        BlockChannel channel = new BlockChannel(disk);
        channel.position(SIZE - 3);
        assertThat(channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}))).isEqualTo(3);
        assertThatThrownBy(() -> channel.write(ByteBuffer.allocate(1))).hasMessageContaining("does not grow");
        assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        ByteBuffer last = ByteBuffer.allocate(10);
        assertThat(channel.position(SIZE - 2).read(last)).isEqualTo(2);
        assertThat(last.array()).startsWith(2, 3, 0);
        assertThatThrownBy(() -> channel.read(SIZE - 1, MemorySegment.ofArray(new byte[2])))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> channel.truncate(1)).isInstanceOf(UnsupportedOperationException.class);
        channel.flush();
        channel.close();
        channel.close();
        assertThatThrownBy(channel::size).isInstanceOf(ClosedChannelException.class);
    }

    @Test
    void blocksAreTrimmedAndZeroed() throws IOException {
        try (DmaMemory ones = disk.allocate(SIZE);
                DmaMemory read = disk.allocate(SIZE)) {
            ones.segment().fill((byte) 1);
            disk.write(0, ones);
            assertThat(disk.trims()).isTrue();
            disk.trim(0, 1);
            disk.writeZeroes(2, 300);
            disk.read(0, read);
            // Undefined by the interface; the model makes them zero.
            assertThat(read.segment().get(ValueLayout.JAVA_BYTE, BLOCK - 1)).isZero();
            assertThat(read.segment().get(ValueLayout.JAVA_BYTE, BLOCK)).isEqualTo((byte) 1);
            assertThat(read.segment().asSlice(2L * BLOCK, 300L * BLOCK).toArray(ValueLayout.JAVA_BYTE))
                    .containsOnly(0);
            assertThat(read.segment().get(ValueLayout.JAVA_BYTE, 302L * BLOCK)).isEqualTo((byte) 1);
            assertThatThrownBy(() -> disk.trim(disk.blockCount(), 1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> disk.writeZeroes(-1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void futuresOfManyThreadsAreCompleted(Waiting waiting) throws Exception {
        int threads = 4;
        int each = 100;
        try (NvmeFutures futures = new NvmeFutures(controller, namespace, 3, waiting);
                DmaMemory memory = controller.dma().allocate((long) threads * each * BLOCK)) {
            List<Thread> writers = new ArrayList<>();
            List<CompletableFuture<Long>> all = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int first = t * each;
                writers.add(Thread.ofVirtual().start(() -> {
                    for (int i = first; i < first + each; i++) {
                        DmaMemory block = memory.slice((long) i * BLOCK, BLOCK);
                        block.segment().set(ValueLayout.JAVA_INT, 0, i + 1);
                        int number = i;
                        CompletableFuture<Long> read = futures.write(i, block).thenCompose(written -> {
                            block.segment().fill((byte) 0);
                            return futures.read(number, block);
                        });
                        synchronized (all) {
                            all.add(read);
                        }
                    }
                }));
            }
            for (Thread writer : writers) {
                writer.join();
            }
            for (CompletableFuture<Long> future : all) {
                assertThat(future.get()).isZero();
            }
            assertThat(all).hasSize(threads * each);
            for (int i = 0; i < threads * each; i++) {
                assertThat(memory.segment().get(ValueLayout.JAVA_INT, (long) i * BLOCK))
                        .isEqualTo(i + 1);
            }
            futures.flush().get();
        }
    }

    @Test
    void aFutureFailsWithWhatTheControllerSaid() throws IOException {
        NvmeFutures futures = new NvmeFutures(controller, namespace, 2, Waiting.ADAPTIVE);
        assertThatThrownBy(
                        () -> futures.submit(NvmeCommand.of(0xc1).namespace(1)).get())
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        NvmeException.class,
                        e -> assertThat(Status.code(e.status())).isEqualTo(Status.INVALID_OPCODE));
        assertThatThrownBy(
                        () -> futures.submit(NvmeCommand.deallocate(namespace)).get())
                .hasMessageContaining("no range");
        futures.close();
        futures.close();
        assertThatThrownBy(() -> futures.flush().get()).hasMessageContaining("closed");
    }
}
