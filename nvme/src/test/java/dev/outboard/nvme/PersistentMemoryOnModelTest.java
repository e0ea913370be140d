package dev.outboard.nvme;

import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.emulation.nvme.NvmeOptions.PersistentRegion;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/** The model, on a thread of this process; another one each time that it is opened. */
class PersistentMemoryOnModelTest extends PersistentMemoryContract {
    private static final int MIB = 1 << 20;

    private @Nullable ServedModel model;

    @Override
    NvmeController open(NvmeSettings settings, Path region) throws IOException {
        stop();
        ServedModel started = ServedModel.start(NvmeOptions.DEFAULT
                .withSizeBytes(8 * MIB)
                .withControllerMemoryBytes(MIB)
                .withPersistentRegion(new PersistentRegion(MIB, region)));
        model = started;
        return Nvme.open(started.address(), settings);
    }

    @AfterEach
    void stop() throws IOException {
        if (model != null) {
            model.close();
            model = null;
        }
    }
}
