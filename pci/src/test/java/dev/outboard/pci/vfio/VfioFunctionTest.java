package dev.outboard.pci.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Registers;
import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciBar;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciDevice;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The kernel's VFIO, on QEMU's edu (documented in docs/specs/edu.rst of QEMU) and NVMe controllers: needs root, an IOMMU
 * and vfio-pci, as in a guest of {@code rig}.
 */
@Tag("kernel")
@Timeout(120)
class VfioFunctionTest {
    private static final long EDU_IDENTIFICATION = 0x00;
    private static final long EDU_LIVENESS = 0x04;
    private static final long EDU_FACTORIAL = 0x08;
    private static final long EDU_STATUS = 0x20;
    private static final int EDU_STATUS_COMPUTING = 0x01;
    private static final long EDU_INTERRUPT_RAISE = 0x60;
    private static final long EDU_INTERRUPT_STATUS = 0x24;
    private static final long EDU_INTERRUPT_ACKNOWLEDGE = 0x64;
    private static final long EDU_DMA_SOURCE = 0x80;
    private static final long EDU_DMA_DESTINATION = 0x88;
    private static final long EDU_DMA_COUNT = 0x90;
    private static final long EDU_DMA_COMMAND = 0x98;
    private static final int EDU_DMA_START = 1;
    private static final int EDU_DMA_FROM_DEVICE = 2;
    private static final int EDU_DMA_INTERRUPT = 4;
    private static final long EDU_BUFFER = 0x40000;
    // Less than edu's buffer: QEMU 7.2 stops at an access that ends where the buffer does.
    private static final int EDU_DMA_BYTES = 2048;
    private static final Duration SOON = Duration.ofSeconds(20);

    private final PciBus bus = PciBus.system();

    private PciDevice edu() throws IOException {
        return find(0x1234, 0x11e8);
    }

    private PciDevice nvme() throws IOException {
        return find(0x1b36, 0x0010);
    }

    private PciDevice find(int vendor, int device) throws IOException {
        return bus.devices().stream()
                .filter(each -> each.vendorId() == vendor && each.deviceId() == device)
                .findFirst()
                .orElseThrow();
    }

    /** Two 16550 ports: registers in I/O space, and no other interrupt than INTx. */
    private PciDevice serial() throws IOException {
        return find(0x1b36, 0x0003);
    }

    private String toVfio(PciDevice device) throws IOException {
        new DriverBinding(bus, device.address()).bind(DriverBinding.VFIO_PCI);
        return "vfio:" + device.address();
    }

    @AfterEach
    void giveBack() throws IOException {
        new DriverBinding(bus, edu().address()).release();
        new DriverBinding(bus, nvme().address()).release();
        new DriverBinding(bus, serial().address()).release();
    }

    @Test
    void aBoundFunctionIsListedWithItsAccessPath() throws IOException {
        assertThat(edu().accessPaths()).containsExactly("sysfs");
        toVfio(edu());
        assertThat(edu().driver()).isEqualTo("vfio-pci");
        assertThat(edu().accessPaths()).containsExactly("vfio");
        assertThat(edu().iommuGroup()).isPresent();
        assertThat(edu().bars()).singleElement().extracting(PciBar::sizeBytes).isEqualTo(1L << 20);
    }

    @Test
    void configurationSpaceTellsWhoItIs() throws IOException {
        try (PciFunction function = Pci.open(toVfio(edu()))) {
            assertThat(function.configuration().read(PciConfiguration.VENDOR_ID))
                    .isEqualTo(0x1234);
            assertThat(function.configuration().read32(0)).isEqualTo(0x11e8_1234);
            assertThat(function.configuration().read(PciConfiguration.COMMAND) & 7)
                    .isEqualTo(3);
            function.setBusMaster(true);
            assertThat(function.configuration().read(PciConfiguration.COMMAND) & 7)
                    .isEqualTo(7);
            function.checkPresent();
        }
    }

    @Test
    void everyFormOfTheAddressOpensIt() throws IOException {
        toVfio(edu());
        String brief = edu().address().substring("0000:".length());
        try (PciFunction function = Pci.open("pci:" + brief)) {
            assertThat(function.address()).isEqualTo(DeviceAddress.parse("pci:" + brief));
        }
        Pci.open("vfio:" + brief).close();
    }

    @Test
    void eduComputes() throws IOException {
        try (PciFunction function = Pci.open(toVfio(edu()))) {
            Registers edu = function.bar(0);
            assertThat(edu.isMapped()).isTrue();
            assertThat(edu.read32(EDU_IDENTIFICATION) & 0xffff).isEqualTo(0x00ed);
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
        }
    }

    @Test
    void anInterruptArrives() throws IOException {
        try (PciFunction function = Pci.open(toVfio(edu()))) {
            assertThat(function.interruptVectors()).isEqualTo(1);
            Interrupt interrupt = function.enableInterrupts(1).getFirst();
            function.setBusMaster(true);
            Registers edu = function.bar(0);
            for (int round = 1; round <= 3; round++) {
                assertThat(interrupt.poll()).isZero();
                edu.write32(EDU_INTERRUPT_RAISE, round);
                assertThat(interrupt.await(SOON)).isEqualTo(1);
                assertThat(edu.read32(EDU_INTERRUPT_STATUS)).isEqualTo(round);
                edu.write32(EDU_INTERRUPT_ACKNOWLEDGE, round);
                interrupt.rearm();
            }
        }
    }

    @Test
    void anIoBarAndInTxWorkToo() throws IOException {
        long transmit = 0;
        long interruptEnable = 1;
        long interruptIdentification = 2;
        byte transmitterEmpty = 2;
        try (PciFunction function = Pci.open(toVfio(serial()))) {
            Registers port = function.bar(0);
            assertThat(port.isMapped()).isFalse();
            assertThat(function.interruptVectors()).isEqualTo(1);
            Interrupt interrupt = function.enableInterrupts(1).getFirst();
            port.write8(interruptEnable, transmitterEmpty);
            for (int round = 0; round < 3; round++) {
                assertThat(interrupt.await(SOON)).isEqualTo(1);
                // Reading takes the reason away.
                assertThat(port.read8(interruptIdentification) & 0xf).isEqualTo(transmitterEmpty);
                interrupt.rearm();
                assertThat(interrupt.poll()).isZero();
                port.write8(transmit, (byte) 'x');
            }
        }
    }

    @Test
    void theDeviceReachesDmaMemory() throws IOException {
        try (PciFunction function = Pci.open(toVfio(edu()))) {
            DmaMemory memory = function.dma().allocate(8192);
            // For devices with few address lines; an edu has 28 unless told otherwise.
            assertThat(memory.deviceAddress() + memory.sizeBytes()).isLessThan(1L << 28);
            Interrupt interrupt = function.enableInterrupts(1).getFirst();
            function.setBusMaster(true);
            Registers edu = function.bar(0);
            for (int i = 0; i < EDU_DMA_BYTES; i += Long.BYTES) {
                memory.segment().set(ValueLayout.JAVA_LONG, i, 0x0101_0101_0101_0101L * (i % 251));
            }
            transfer(edu, interrupt, memory.deviceAddress(), EDU_BUFFER, 0);
            transfer(edu, interrupt, EDU_BUFFER, memory.deviceAddress() + 4096, EDU_DMA_FROM_DEVICE);
            assertThat(memory.segment()
                            .asSlice(4096, EDU_DMA_BYTES)
                            .mismatch(memory.segment().asSlice(0, EDU_DMA_BYTES)))
                    .isEqualTo(-1);
        }
    }

    private static void transfer(Registers edu, Interrupt interrupt, long from, long to, int direction)
            throws IOException {
        edu.write64(EDU_DMA_SOURCE, from);
        edu.write64(EDU_DMA_DESTINATION, to);
        edu.write64(EDU_DMA_COUNT, EDU_DMA_BYTES);
        edu.write64(EDU_DMA_COMMAND, EDU_DMA_START | direction | EDU_DMA_INTERRUPT);
        assertThat(interrupt.await(SOON)).isEqualTo(1);
        edu.write32(EDU_INTERRUPT_ACKNOWLEDGE, edu.read32(EDU_INTERRUPT_STATUS));
    }

    @Test
    void nvmeHasMappedRegistersAndMsiXAndCanBeReset() throws IOException {
        try (PciFunction function = Pci.open(toVfio(nvme()))) {
            Registers registers = function.bar(0);
            assertThat(registers.isMapped()).isTrue();
            assertThat(registers.read64(0)).isNotZero().isNotEqualTo(-1);
            assertThat(function.interruptVectors()).isGreaterThan(1);
            assertThat(function.enableInterrupts(function.interruptVectors())).hasSize(function.interruptVectors());
            assertThat(function.enableInterrupts(2)).hasSize(2);
            function.setBusMaster(true);
            function.reset();
            assertThat(function.configuration().read(PciConfiguration.COMMAND) & 7)
                    .isEqualTo(3);
            assertThat(registers.read64(0)).isNotZero().isNotEqualTo(-1);
        }
    }

    @Test
    void aFunctionGoesToOneProcessAtATime() throws IOException {
        String address = toVfio(edu());
        try (PciFunction function = Pci.open(address)) {
            assertThatThrownBy(() -> Pci.open(address))
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageContaining("in use by ")
                    .hasMessageContaining("(process " + ProcessHandle.current().pid() + " of root, since ")
                    .hasMessageContaining("close it there first");
            assertThat(bus.claims().get(edu().address()).owner().pid())
                    .isEqualTo(ProcessHandle.current().pid());
            assertThatThrownBy(() -> new DriverBinding(bus, edu().address()).release())
                    .isInstanceOf(DeviceBusyException.class);
            function.checkPresent();
        }
        Pci.open(address).close();
        assertThat(bus.claims()).isEmpty();
    }

    @Test
    void aFunctionGoesBackToItsDriver() throws IOException {
        DriverBinding binding = new DriverBinding(bus, nvme().address());
        assertThat(binding.driver()).isEqualTo("nvme");
        assertThatThrownBy(() -> Pci.open("pci:" + nvme().address()))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("driven by the kernel's nvme")
                .hasMessageContaining("outboard bind " + nvme().address() + " vfio");
        assertThat(binding.bind(DriverBinding.VFIO_PCI)).isEqualTo("nvme");
        assertThat(binding.bind(DriverBinding.VFIO_PCI)).isEqualTo("vfio-pci");
        assertThat(binding.release()).isEqualTo("nvme");
        assertThat(binding.release()).isEqualTo("nvme");
    }

    @Test
    void aFunctionWithoutADriverIsExplained() throws IOException {
        assertThat(edu().driver()).isNull();
        assertThatThrownBy(() -> Pci.open("vfio:" + edu().address()))
                .hasMessageContaining("bound to no kernel driver")
                .hasMessageContaining("outboard bind " + edu().address() + " vfio");
    }

    @Test
    void theKernelGetsADeviceBackThatItAsksFor() throws Exception {
        PciFunction function = Pci.open(toVfio(edu()));
        Interrupt interrupt = function.enableInterrupts(1).getFirst();
        // What an administrator does, or a slot whose button is pressed; it waits until the function is closed.
        Process unbinding = new ProcessBuilder(
                        "sh", "-c", "echo " + edu().address() + " > /sys/bus/pci/drivers/vfio-pci/unbind")
                .inheritIO()
                .start();
        assertThatThrownBy(() -> interrupt.await(SOON))
                .isInstanceOf(DeviceGoneException.class)
                .hasMessageContaining("the kernel wants the device back");
        assertThatThrownBy(function::checkPresent).isInstanceOf(DeviceGoneException.class);
        function.close();
        assertThat(unbinding.waitFor()).isZero();
        assertThat(edu().driver()).isNull();
    }

    @Test
    void aFunctionThatIsMountedIsNotTaken() throws Exception {
        List<String> disks = List.of(new File("/sys/bus/pci/devices/" + nvme().address() + "/nvme").list());
        assertThat(disks).hasSize(1);
        String disk = "/dev/" + disks.getFirst() + "n1";
        Path point = Files.createTempDirectory("mounted here");
        assertThat(run("mkfs.ext4", "-q", "-F", disk)).isZero();
        assertThat(run("mount", disk, point.toString())).isZero();
        try {
            DriverBinding binding = new DriverBinding(bus, nvme().address());
            assertThatThrownBy(() -> binding.bind(DriverBinding.VFIO_PCI))
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageContaining("is mounted at " + point);
            assertThatThrownBy(() -> Pci.open("vfio:" + nvme().address()))
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageContaining("is mounted at " + point);
            assertThat(binding.driver()).isEqualTo("nvme");
        } finally {
            assertThat(run("umount", point.toString())).isZero();
        }
    }

    private static int run(String... command) throws Exception {
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }
}
