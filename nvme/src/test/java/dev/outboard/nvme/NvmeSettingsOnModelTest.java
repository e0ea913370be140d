package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model, on a thread of this process. */
class NvmeSettingsOnModelTest extends NvmeSettingsContract {
    @TempDir
    Path directory;

    private NvmeModel model;
    private VfioUserServer server;

    @BeforeEach
    void serve() throws IOException {
        model = new NvmeModel(NvmeOptions.DEFAULT.withSizeBytes(8 << 20).withControllerMemoryBytes(1 << 20));
        server = VfioUserServer.start(model, directory.resolve("nvme.sock"));
    }

    @AfterEach
    void stop() {
        server.close();
        model.close();
    }

    @Override
    NvmeController open(NvmeSettings settings) throws IOException {
        return Nvme.open("vfio-user:" + server.path(), settings);
    }

    @Test
    void doorbellsThatAreMemoryNeedNoShadow() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT)) {
            assertThat(controller.hasShadowDoorbells()).isFalse();
        }
    }
}
