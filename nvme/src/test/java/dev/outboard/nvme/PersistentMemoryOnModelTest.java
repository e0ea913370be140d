package dev.outboard.nvme;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.emulation.nvme.NvmeOptions.PersistentRegion;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/** The model, on a thread of this process; another one each time that it is opened. */
class PersistentMemoryOnModelTest extends PersistentMemoryContract {
    private static final int MIB = 1 << 20;

    private @Nullable NvmeModel model;
    private @Nullable VfioUserServer server;

    @Override
    NvmeController open(NvmeSettings settings, Path region) throws IOException {
        stop();
        NvmeOptions options = NvmeOptions.DEFAULT
                .withSizeBytes(8 * MIB)
                .withControllerMemoryBytes(MIB)
                .withPersistentRegion(new PersistentRegion(MIB, region));
        NvmeModel made = new NvmeModel(options);
        model = made;
        VfioUserServer serving = VfioUserServer.start(made, directory.resolve("nvme.sock"));
        server = serving;
        return Nvme.open("vfio-user:" + serving.path(), settings);
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.close();
            server = null;
        }
        if (model != null) {
            model.close();
            model = null;
        }
    }
}
