package dev.outboard.nvme;

import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The model, on a thread of this process. */
class NvmeResetOnModelTest extends NvmeResetContract {
    @RegisterExtension
    static final ServedModel MODEL = new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(16 << 20));

    @Override
    NvmeController open() throws IOException {
        return Nvme.open(MODEL.address());
    }
}
