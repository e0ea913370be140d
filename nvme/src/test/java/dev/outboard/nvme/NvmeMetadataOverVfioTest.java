package dev.outboard.nvme;

import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Metadata of QEMU's controller, over the kernel's VFIO. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI function 00:1c.0")
class NvmeMetadataOverVfioTest extends NvmeMetadataContract {
    @AfterAll
    static void release() throws IOException {
        RigController.release();
    }

    @Override
    NvmeController open(NvmeOptions.Metadata metadata) throws IOException {
        return RigController.open();
    }
}
