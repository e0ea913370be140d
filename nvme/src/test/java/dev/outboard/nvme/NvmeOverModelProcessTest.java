package dev.outboard.nvme;

import java.io.IOException;
import org.junit.jupiter.api.Tag;

/** The model in a process of its own, as commands use it that are told no device. */
@Tag("emulated")
class NvmeOverModelProcessTest extends NvmeContract {
    @Override
    NvmeController open() throws IOException {
        return Nvme.open("model:nvme?size=64M");
    }
}
