package dev.outboard.nvme;

import java.io.IOException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** Commands of QEMU's controller without a guest; the namespace that it has by itself copies nothing. */
@Tag("emulated")
class NvmeCommandsOverQemuTest extends NvmeCommandsContract {
    @BeforeAll
    static void requireQemu() {
        QemuController.require();
    }

    @Override
    NvmeController open() throws IOException {
        return Nvme.open("qemu:nvme?ns1.size=16M");
    }
}
