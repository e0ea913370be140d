package dev.outboard.nvme;

import java.io.IOException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** QEMU's controller without a guest. */
@Tag("emulated")
class NvmeAdminOverQemuTest extends NvmeAdminContract {
    @BeforeAll
    static void requireQemu() {
        QemuController.require();
    }

    @Override
    NvmeController open() throws IOException {
        return Nvme.open("qemu:nvme?size=64M");
    }
}
