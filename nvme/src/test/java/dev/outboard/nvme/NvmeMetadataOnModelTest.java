package dev.outboard.nvme;

import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;

/** Metadata of the model, on a thread of this process. */
class NvmeMetadataOnModelTest extends NvmeMetadataContract {
    private ServedModel model;

    @Override
    NvmeController open(NvmeOptions.Metadata metadata) throws IOException {
        model = ServedModel.start(NvmeOptions.DEFAULT.withSizeBytes(1 << 20).withMetadata(metadata));
        return Nvme.open(model.address());
    }

    @AfterEach
    void stop() throws IOException {
        model.close();
    }
}
