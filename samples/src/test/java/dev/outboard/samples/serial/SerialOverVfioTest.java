package dev.outboard.samples.serial;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** QEMU's card, which the kernel's 8250_pci gives up for it, over the kernel's VFIO. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI function 00:08.0")
class SerialOverVfioTest extends SerialContract {
    private static final String DEVICE = "0000:00:08.0";
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
    SerialCard open() throws IOException {
        return SerialCard.open("vfio:" + DEVICE);
    }
}
