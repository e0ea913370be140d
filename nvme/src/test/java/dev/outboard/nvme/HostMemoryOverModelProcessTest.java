package dev.outboard.nvme;

import java.io.IOException;
import org.junit.jupiter.api.Tag;

/** The model in a process of its own. */
@Tag("emulated")
class HostMemoryOverModelProcessTest extends HostMemoryContract {
    @Override
    NvmeController open(NvmeSettings settings) throws IOException {
        return Nvme.open("model:nvme?size=16M&hmb=8M&hmb-piece=256K&hmb-pieces=4", settings);
    }
}
