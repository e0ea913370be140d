package dev.outboard.nvme;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** Metadata of the model, on a thread of this process. */
class NvmeMetadataOnModelTest extends NvmeMetadataContract {
    @TempDir
    private Path directory;

    private NvmeModel model;
    private VfioUserServer server;

    @Override
    NvmeController open(NvmeOptions.Metadata metadata) throws IOException {
        model = new NvmeModel(NvmeOptions.DEFAULT.withSizeBytes(1 << 20).withMetadata(metadata));
        server = VfioUserServer.start(model, directory.resolve("nvme.sock"));
        return Nvme.open("vfio-user:" + server.path());
    }

    @AfterEach
    void stop() {
        server.close();
        model.close();
    }
}
