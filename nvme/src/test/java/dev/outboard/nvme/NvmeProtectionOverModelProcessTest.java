package dev.outboard.nvme;

import java.io.IOException;
import org.junit.jupiter.api.Tag;

/** The model in a process of its own. */
@Tag("emulated")
class NvmeProtectionOverModelProcessTest extends NvmeProtectionContract {
    @Override
    NvmeController open(BlockLayout layout) throws IOException {
        return Nvme.open("model:nvme?size=8M");
    }
}
