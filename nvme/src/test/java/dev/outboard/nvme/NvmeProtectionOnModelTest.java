package dev.outboard.nvme;

import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The model, on a thread of this process. */
class NvmeProtectionOnModelTest extends NvmeProtectionContract {
    @RegisterExtension
    static final ServedModel MODEL = new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(8 << 20));

    @Override
    NvmeController open(BlockLayout layout) throws IOException {
        return Nvme.open(MODEL.address());
    }
}
