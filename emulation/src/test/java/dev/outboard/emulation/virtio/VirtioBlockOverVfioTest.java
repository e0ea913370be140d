package dev.outboard.emulation.virtio;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import dev.outboard.specs.virtio.VirtioFeature;
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
        disabledReason = "writes to PCI function 00:1d.0")
class VirtioBlockOverVfioTest extends VirtioBlockContract {
    private static final String DISK = "0000:00:1d.0";
    private static final DriverBinding BINDING = new DriverBinding(PciBus.system(), DISK);

    @BeforeAll
    static void bind() throws IOException {
        BINDING.bind(DriverBinding.VFIO_PCI);
    }

    @AfterAll
    static void release() throws IOException {
        BINDING.release();
    }

    @Override
    String address() {
        return "vfio:" + DISK;
    }

    @Override
    String expectedSerial() {
        return "OUTBOARD-2";
    }

    @Override
    long expectedFeatures() {
        return super.expectedFeatures() | VirtioFeature.RING_PACKED | VirtioFeature.ACCESS_PLATFORM;
    }
}
