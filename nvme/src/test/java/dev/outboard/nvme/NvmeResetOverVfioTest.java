package dev.outboard.nvme;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** QEMU's controller, over the kernel's VFIO. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI function 00:1c.0")
class NvmeResetOverVfioTest extends NvmeResetContract {
    @AfterAll
    static void release() throws IOException {
        RigController.release();
    }

    @Override
    NvmeController open() throws IOException {
        return RigController.open();
    }
}
