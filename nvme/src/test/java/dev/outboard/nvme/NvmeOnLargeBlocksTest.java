package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaMemory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model with blocks of 4096 bytes, over a file. */
class NvmeOnLargeBlocksTest {
    @TempDir
    Path directory;

    @Test
    void whatIsWrittenIsInTheFile() throws Exception {
        Path file = directory.resolve("disk.img");
        NvmeOptions options = NvmeOptions.DEFAULT
                .withSizeBytes(8 << 20)
                .withBlockSizeBytes(4096)
                .withFile(file);
        try (ServedModel model = ServedModel.start(options);
                NvmeController controller = Nvme.open(model.address());
                QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(8192)) {
            NvmeNamespace namespace = controller.namespace(1);
            assertThat(namespace.blockSizeBytes()).isEqualTo(4096);
            assertThat(namespace.blockCount()).isEqualTo(2048);
            buffer.segment().setString(0, "two blocks of 4096 bytes");
            queue.write(namespace, 5, buffer).await(Duration.ofSeconds(30));
            queue.flush(namespace).await(Duration.ofSeconds(30));
        }
        assertThat(new String(Files.readAllBytes(file), 5 * 4096, 24, StandardCharsets.UTF_8))
                .isEqualTo("two blocks of 4096 bytes");
    }
}
