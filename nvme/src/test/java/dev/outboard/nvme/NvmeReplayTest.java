package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.Waiting;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.emulation.recording.Recorder;
import dev.outboard.emulation.recording.RecordingException;
import dev.outboard.emulation.recording.ReplayDivergedException;
import dev.outboard.memory.DmaMemory;
import dev.outboard.pci.Pci;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The driver on a recording of what passed between it and the model. */
class NvmeReplayTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final long PATTERN = 0x0123_4567_89ab_cdefL;

    @TempDir
    Path directory;

    /** Records a write and a read of one block. */
    private Path record(Waiting waiting) throws IOException {
        Path file = directory.resolve("nvme.recording");
        Path socket = directory.resolve("nvme.sock");
        try (NvmeModel model = new NvmeModel(NvmeOptions.DEFAULT.withSizeBytes(1 << 20));
                VfioUserServer server = VfioUserServer.start(model, socket);
                NvmeController controller = Nvme.open(Recorder.record(Pci.open("vfio-user:" + server.path()), file))) {
            writeAndRead(controller, waiting, PATTERN);
        }
        return file;
    }

    private static void writeAndRead(NvmeController controller, Waiting waiting, long pattern) throws IOException {
        NvmeNamespace namespace = controller.namespaces().getFirst();
        try (QueuePair queue = controller.createQueuePair(4, waiting);
                DmaMemory written = controller.dma().allocate(namespace.blockSizeBytes());
                DmaMemory read = controller.dma().allocate(namespace.blockSizeBytes())) {
            written.segment().set(ValueLayout.JAVA_LONG, 0, pattern);
            queue.write(namespace, 7, written).await(TIMEOUT);
            queue.read(namespace, 7, read).await(TIMEOUT);
            assertThat(read.segment().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(PATTERN);
        }
    }

    @ParameterizedTest
    @EnumSource(Waiting.class)
    void aDriverThatDoesTheSameFindsTheSame(Waiting waiting) throws IOException {
        Path file = record(waiting);

        try (NvmeController controller = Nvme.open("replay:" + file)) {
            assertThat(controller.identity().modelNumber()).isEqualTo("Outboard Emulated NVMe");
            writeAndRead(controller, waiting, PATTERN);
        }
    }

    @Test
    void aDriverThatStoresSomethingElseIsToldWhatWasExpected() throws IOException {
        Path file = record(Waiting.POLL);

        try (NvmeController controller = Nvme.open("replay:" + file)) {
            assertThatThrownBy(() -> writeAndRead(controller, Waiting.POLL, ~PATTERN))
                    .isInstanceOf(ReplayDivergedException.class)
                    .hasMessageContaining("the driver did \"to-device")
                    .hasMessageContaining("of the recording expects \"to-device");
        }
    }

    @Test
    void aDriverThatGoesOnBeyondTheEndIsTold() throws IOException {
        Path file = record(Waiting.POLL);

        try (NvmeController controller = Nvme.open("replay:" + file)) {
            writeAndRead(controller, Waiting.POLL, PATTERN);
            assertThatThrownBy(() -> writeAndRead(controller, Waiting.POLL, PATTERN))
                    .isInstanceOf(ReplayDivergedException.class);
        }
    }

    @Test
    void aFileThatIsNoRecordingIsRefusedWithItsLine() throws IOException {
        Path file = record(Waiting.POLL);
        List<String> lines = Files.readAllLines(file);
        Path broken = directory.resolve("broken");

        Files.write(broken, List.of("something else"));
        assertThatThrownBy(() -> Nvme.open("replay:" + broken))
                .isInstanceOf(RecordingException.class)
                .hasMessageStartingWith(broken + ":1: this is no recording");

        Files.write(broken, List.of(lines.get(0), lines.get(1), lines.get(2), "7 region bar9 0x10"));
        assertThatThrownBy(() -> Nvme.open("replay:" + broken))
                .isInstanceOf(RecordingException.class)
                .hasMessage(broken + ":4: there is no region \"bar9\"");
    }
}
