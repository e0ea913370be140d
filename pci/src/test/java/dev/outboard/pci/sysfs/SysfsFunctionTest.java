package dev.outboard.pci.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.memory.Registers;
import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** The kernel's sysfs, on QEMU's edu and NVMe controller and two 16550 ports, in a guest of {@code rig}. */
@Tag("kernel")
@Timeout(120)
@EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "writes to fixed functions")
class SysfsFunctionTest {
    private static final String NVME = "0000:00:04.0";
    private static final String EDU = "0000:00:06.0";
    private static final String SERIAL = "0000:00:08.0";
    private static final String ROOT_PORT = "0000:00:09.0";
    private static final Duration SOON = Duration.ofSeconds(20);

    // QEMU, docs/specs/edu.rst.
    private static final long EDU_LIVENESS = 0x04;
    private static final long EDU_FACTORIAL = 0x08;
    private static final long EDU_STATUS = 0x20;
    private static final int EDU_STATUS_COMPUTING = 0x01;

    private final PciBus bus = PciBus.system();

    @AfterEach
    void giveBack() throws IOException {
        for (String address : new String[] {NVME, EDU, SERIAL}) {
            new DriverBinding(bus, address).release();
        }
    }

    @Test
    void eduComputesAndIsLeftAsItWas() throws Exception {
        Path enable = Path.of("/sys/bus/pci/devices", EDU, "enable");
        String enabledBefore = Files.readString(enable);
        long commandBefore;
        try (PciFunction function = Pci.look("sysfs:" + EDU)) {
            commandBefore = function.configuration().read(PciConfiguration.COMMAND);
        }
        assertThat(bus.device(EDU).accessPaths()).containsExactly("sysfs");
        try (PciFunction function = Pci.open("pci:" + EDU)) {
            Registers edu = function.bar(0);
            assertThat(edu.isMapped()).isTrue();
            assertThat(edu.sizeBytes()).isEqualTo(1 << 20);
            edu.write32(EDU_LIVENESS, 0x1234_5678);
            assertThat(edu.read32(EDU_LIVENESS)).isEqualTo(~0x1234_5678);
            // The listener of all ones looks, and finds the device there.
            edu.write32(EDU_LIVENESS, 0);
            assertThat(edu.read32(EDU_LIVENESS)).isEqualTo(-1);
            function.checkPresent();
            edu.write32(EDU_FACTORIAL, 10);
            long deadline = System.nanoTime() + SOON.toNanos();
            while ((edu.read32(EDU_STATUS) & EDU_STATUS_COMPUTING) != 0) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                Thread.onSpinWait();
            }
            assertThat(edu.read32(EDU_FACTORIAL)).isEqualTo(3_628_800);
            function.setBusMaster(true);
            assertThat(function.configuration().read(PciConfiguration.COMMAND) & 7)
                    .isEqualTo(7);
            assertThat(function.configuration().sizeBytes()).isEqualTo(PciConfiguration.SIZE_BYTES);
        }
        try (PciFunction function = Pci.look("sysfs:" + EDU)) {
            assertThat(function.configuration().read(PciConfiguration.COMMAND))
                    .isEqualTo(PciConfiguration.COMMAND_BUS_MASTER.set(commandBefore, 0));
        }
        assertThat(Files.readString(enable)).isEqualTo(enabledBefore);
    }

    @Test
    void aFunctionOfAKernelDriverIsLookedAtAndNotTaken() throws Exception {
        assertThat(bus.device(NVME).driver()).isEqualTo("nvme");
        assertThatThrownBy(() -> Pci.open("sysfs:" + NVME))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("driven by the kernel's nvme")
                .hasMessageContaining("outboard bind " + NVME + " sysfs");
        try (PciFunction function = Pci.look("pci:" + NVME)) {
            assertThat(function.configuration().read(PciConfiguration.VENDOR_ID))
                    .isEqualTo(0x1b36);
            assertThat(function.configuration().sizeBytes()).isEqualTo(PciConfiguration.EXPRESS_SIZE_BYTES);
            assertThat(function.configuration().read(PciConfiguration.COMMAND) & 4)
                    .as("the kernel's driver does DMA")
                    .isNotZero();
            function.checkPresent();
        }
        try (PciFunction function = Pci.look("sysfs:" + NVME)) {
            assertThat(function.configuration().read(PciConfiguration.COMMAND) & 4)
                    .as("and still does")
                    .isNotZero();
        }
        assertThatThrownBy(() -> Pci.open("sysfs:" + ROOT_PORT)).hasMessageContaining("is a bridge");
    }

    @Test
    void aFunctionThatIsTakenFromItsDriverIsResetAndGoesBack() throws Exception {
        DriverBinding binding = new DriverBinding(bus, NVME);
        assertThat(binding.detach()).isEqualTo("nvme");
        assertThat(binding.driver()).isNull();
        assertThat(binding.detach()).isNull();
        try (PciFunction function = Pci.open("sysfs:" + NVME)) {
            Registers registers = function.bar(0);
            long capabilities = registers.read64(0);
            assertThat(capabilities).isNotZero().isNotEqualTo(-1);
            assertThat(function.configuration().read(PciConfiguration.COMMAND) & 7)
                    .isEqualTo(3);
            function.setBusMaster(true);
            function.reset();
            assertThat(function.configuration().read(PciConfiguration.COMMAND) & 7)
                    .isEqualTo(3);
            assertThat(registers.read64(0)).isEqualTo(capabilities);
        }
        assertThat(binding.release()).isEqualTo("nvme");
    }

    @Test
    void theScratchRegisterOfA16550KeepsWhatIsWritten() throws Exception {
        new DriverBinding(bus, SERIAL).detach();
        try (PciFunction function = Pci.open("sysfs:" + SERIAL)) {
            Registers ports = function.bar(0);
            assertThat(ports.isMapped()).isFalse();
            for (int value : new int[] {0x5a, 0xa5, 0xff, 0}) {
                ports.write8(7, (byte) value);
                ports.write8(15, (byte) ~value);
                assertThat(ports.read8(7)).isEqualTo((byte) value);
                assertThat(ports.read8(15)).isEqualTo((byte) ~value);
            }
            function.checkPresent();
        }
    }

    @Test
    void whileVfioHasAFunctionSysfsDoesNot() throws Exception {
        new DriverBinding(bus, EDU).bind(DriverBinding.VFIO_PCI);
        assertThatThrownBy(() -> Pci.open("sysfs:" + EDU))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("open vfio:" + EDU);
        try (PciFunction function = Pci.open("pci:" + EDU)) {
            assertThat(function.interruptVectors()).isEqualTo(1);
            assertThatThrownBy(() -> Pci.look("sysfs:" + EDU))
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageContaining("in use by ");
        }
    }

    @Test
    void aFunctionThatIsRemovedIsGone() throws Exception {
        PciFunction function = Pci.open("sysfs:" + EDU);
        try {
            assertThat(function.configuration().read(PciConfiguration.VENDOR_ID))
                    .isEqualTo(0x1234);
            Files.writeString(Path.of("/sys/bus/pci/devices", EDU, "remove"), "1");
            assertThat(function.configuration().read(PciConfiguration.VENDOR_ID))
                    .isEqualTo(0xffff);
            assertThatThrownBy(function::checkPresent)
                    .isInstanceOf(DeviceGoneException.class)
                    .hasMessageContaining("was removed");
            function.close();
        } finally {
            Files.writeString(Path.of("/sys/bus/pci/rescan"), "1");
        }
        try (PciFunction again = Pci.open("sysfs:" + EDU)) {
            again.checkPresent();
        }
    }
}
