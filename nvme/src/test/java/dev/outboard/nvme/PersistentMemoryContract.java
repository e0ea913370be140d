package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Registers;
import dev.outboard.nvme.NvmeSettings.ControllerMemoryUse;
import dev.outboard.nvme.PersistentMemory.Health;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A controller with a persistent memory region of 1 MiB in a file, and a controller memory buffer of 1 MiB. Writes to the
 * first namespace.
 */
abstract class PersistentMemoryContract {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int MIB = 1 << 20;
    private static final int KIB = 1024;
    private static final NvmeSettings SETTINGS = NvmeSettings.DEFAULT.withPersistentMemory(true);

    @TempDir
    Path directory;

    /** Opens the controller whose region is in a file. */
    abstract NvmeController open(NvmeSettings settings, Path region) throws IOException;

    private NvmeController open(NvmeSettings settings) throws IOException {
        return open(settings, directory.resolve("region"));
    }

    @Test
    void dataLieThere() throws IOException {
        try (NvmeController controller = open(SETTINGS.withControllerMemory(ControllerMemoryUse.DATA));
                QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(16 * KIB)) {
            PersistentMemory memory = controller.persistentMemory().orElseThrow();
            assertThat(memory.sizeBytes()).isEqualTo(MIB);
            assertThat(memory.takesReads()).isTrue();
            assertThat(memory.takesWrites()).isTrue();
            assertThat(memory.health()).isEqualTo(Health.NORMAL);
            NvmeNamespace namespace = controller.namespaces().getFirst();
            int blocks = 16 * KIB / namespace.blockSizeBytes();
            try (DeviceMemory.Piece piece = memory.allocate(16 * KIB);
                    DeviceMemory.Piece other = controller.memory().orElseThrow().allocate(16 * KIB)) {
                Registers stored = piece.registers();
                for (int i = 0; i < 16 * KIB; i += KIB) {
                    stored.write64(i, i + 1L);
                }
                queue.submit(NvmeCommand.write(namespace, 40, blocks).data(piece))
                        .await(SOON);
                queue.submit(NvmeCommand.read(namespace, 40, blocks).data(other))
                        .await(SOON);
                queue.read(namespace, 40, buffer).await(SOON);
                for (int i = 0; i < 16 * KIB; i += KIB) {
                    assertThat(buffer.segment().get(ValueLayout.JAVA_LONG, i)).isEqualTo(i + 1L);
                    assertThat(other.registers().read64(i)).isEqualTo(i + 1L);
                }
                buffer.segment().fill((byte) 0x5a);
                queue.write(namespace, 40, buffer).await(SOON);
                queue.submit(NvmeCommand.read(namespace, 40, blocks).data(piece))
                        .await(SOON);
                assertThat(stored.read64(16 * KIB - 8)).isEqualTo(0x5a5a_5a5a_5a5a_5a5aL);
            }
            assertThatThrownBy(() -> memory.allocate(MIB + 1))
                    .hasMessageContaining("persistent memory region of " + controller.address())
                    .hasMessageContaining("close what is no longer needed");
        }
    }

    @Test
    void whatItHoldsOutlivesResetsAndIsInTheFile() throws IOException {
        try (NvmeController controller = open(SETTINGS)) {
            PersistentMemory memory = controller.persistentMemory().orElseThrow();
            try (DeviceMemory.Piece piece = memory.allocate(100)) {
                piece.registers().write64(8, 42);
                controller.reset();
                assertThat(piece.registers().read64(8)).isEqualTo(42);
                assertThat(memory.persist()).isEqualTo(Health.NORMAL);
            }
        }
        byte[] file = Files.readAllBytes(directory.resolve("region"));
        assertThat(file).hasSize(MIB);
        assertThat(ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(8))
                .isEqualTo(42);
        try (NvmeController again = open(SETTINGS);
                DeviceMemory.Piece piece =
                        again.persistentMemory().orElseThrow().allocate(100)) {
            assertThat(piece.registers().read64(8)).isEqualTo(42);
        }
    }

    @Test
    void itIsLeftAloneUnlessItIsAskedFor() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT)) {
            assertThat(controller.persistentMemory()).isEmpty();
        }
    }
}
