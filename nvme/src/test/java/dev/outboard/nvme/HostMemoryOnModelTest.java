package dev.outboard.nvme;

import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.emulation.nvme.NvmeOptions.HostMemoryWish;
import java.io.IOException;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The model, on a thread of this process. */
class HostMemoryOnModelTest extends HostMemoryContract {
    @RegisterExtension
    static final ServedModel MODEL = new ServedModel(NvmeOptions.DEFAULT
            .withSizeBytes(16 << 20)
            .withHostMemory(new HostMemoryWish(8 << 20, 2 << 20, 256 << 10, 4)));

    @Override
    NvmeController open(NvmeSettings settings) throws IOException {
        return Nvme.open(MODEL.address(), settings);
    }
}
