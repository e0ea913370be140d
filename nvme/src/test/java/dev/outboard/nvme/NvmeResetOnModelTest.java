package dev.outboard.nvme;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The model, on a thread of this process. */
class NvmeResetOnModelTest extends NvmeResetContract {
    @TempDir
    static Path directory;

    private static NvmeModel model;
    private static VfioUserServer server;

    @BeforeAll
    static void serve() throws IOException {
        model = new NvmeModel(NvmeOptions.DEFAULT.withSizeBytes(16 << 20));
        server = VfioUserServer.start(model, directory.resolve("nvme.sock"));
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    @Override
    NvmeController open() throws IOException {
        return Nvme.open("vfio-user:" + server.path());
    }
}
