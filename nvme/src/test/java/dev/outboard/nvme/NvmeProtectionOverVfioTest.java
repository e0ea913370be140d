package dev.outboard.nvme;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Namespaces of QEMU's controller as they are, over the kernel's VFIO. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI function 00:1c.0")
class NvmeProtectionOverVfioTest extends NvmeProtectionContract {
    @AfterAll
    static void release() throws IOException {
        RigController.release();
    }

    @Override
    NvmeController open(BlockLayout layout) throws IOException {
        NvmeController controller = RigController.open();
        boolean isThere = layout.find(controller).isPresent();
        if (!isThere) {
            controller.close();
        }
        assumeTrue(
                isThere, "the rig's controller has no namespace of this layout, and its namespaces stay as they are");
        return controller;
    }
}
