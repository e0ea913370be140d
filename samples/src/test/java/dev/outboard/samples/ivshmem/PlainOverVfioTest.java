package dev.outboard.samples.ivshmem;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** QEMU's device without a doorbell, over the kernel's VFIO. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI function 00:0f.0")
class PlainOverVfioTest extends SharedMemoryContract {
    private static final String DEVICE = "0000:00:0f.0";
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
    SharedMemory open() throws IOException {
        return SharedMemory.open("vfio:" + DEVICE);
    }

    @Test
    void itsMemoryIsMapped() {
        assertThat(device().memory().isMapped()).isTrue();
        assertThat(device().memory().sizeBytes()).isEqualTo(1 << 20);
    }
}
