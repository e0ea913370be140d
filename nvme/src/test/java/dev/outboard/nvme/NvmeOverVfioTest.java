package dev.outboard.nvme;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** QEMU's controller, over the kernel's VFIO. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI function 00:04.0")
class NvmeOverVfioTest extends NvmeContract {
    private static final String CONTROLLER = "0000:00:04.0";
    private static final DriverBinding BINDING = new DriverBinding(PciBus.system(), CONTROLLER);

    @BeforeAll
    static void bind() throws IOException {
        BINDING.bind(DriverBinding.VFIO_PCI);
    }

    @AfterAll
    static void release() throws IOException {
        BINDING.release();
    }

    @Override
    NvmeController open() throws IOException {
        return Nvme.open("vfio:" + CONTROLLER);
    }
}
