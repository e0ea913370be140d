package dev.outboard.nvme;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** QEMU dies, and its controller with it, whose registers read all ones from then on. */
@Tag("emulated")
class NvmeRemovalOverQemuTest extends NvmeRemovalContract {
    @BeforeAll
    static void requireQemu() {
        QemuController.require();
    }

    @Test
    void theEndOfItsQemuIsNoticed() throws Exception {
        assertNoticed(Nvme.open("qemu:nvme?size=64M"), QemuController.process()::destroyForcibly);
    }
}
