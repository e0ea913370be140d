package dev.outboard.samples.edu;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** QEMU's device, over the kernel's VFIO. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI function 00:06.0")
class EduOverVfioTest extends EduContract {
    private static final String DEVICE = "0000:00:06.0";
    private static final DriverBinding BINDING = new DriverBinding(PciBus.system(), DEVICE);

    @BeforeAll
    static void bind() throws IOException {
        BINDING.bind(DriverBinding.VFIO_PCI);
    }

    @AfterAll
    static void release() throws IOException {
        BINDING.release();
    }

    @Override
    Edu open() throws IOException {
        return Edu.open("vfio:" + DEVICE);
    }
}
