package dev.outboard.peripherals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceException;
import dev.outboard.memory.Registers;
import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** One device by every way to it: /dev/mem, port instructions, /dev/port, sysfs and VFIO, in a guest of {@code rig}. */
@Tag("kernel")
@Timeout(120)
@EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "writes to fixed functions")
class SameRegistersTest {
    private static final String NVME = "0000:00:04.0";
    private static final String EDU = "0000:00:06.0";
    private static final String SERIAL = "0000:00:08.0";
    private static final int NVME_BYTES = 0x40;
    private static final int SCRATCH = 7;
    private static final int PORTS = 8;
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

    private long address(String function) throws IOException {
        return bus.device(function).bars().getFirst().address();
    }

    private static void assumeRelaxed() throws IOException {
        assumeTrue(
                Files.readString(Path.of("/proc/cmdline")).contains("iomem=relaxed"),
                "the kernel was not booted with iomem=relaxed");
    }

    private static int[] words(Registers registers) {
        int[] words = new int[NVME_BYTES / Integer.BYTES];
        for (int i = 0; i < words.length; i++) {
            words[i] = registers.read32((long) i * Integer.BYTES);
        }
        return words;
    }

    @Test
    void aControllerThatTheKernelDrivesReadsTheSame() throws Exception {
        assumeRelaxed();
        int[] bySysfs;
        try (PciFunction function = Pci.look("sysfs:" + NVME)) {
            bySysfs = words(function.bar(0));
        }
        try (PhysicalMemory memory = PhysicalMemory.openReadOnly(address(NVME), NVME_BYTES)) {
            assertThat(words(memory.registers())).isEqualTo(bySysfs);
            assertThat(memory.sawAllOnes()).isFalse();
            assertThatThrownBy(() -> memory.registers().write32(0x14, 0))
                    .isInstanceOf(UnsupportedOperationException.class);
        }
        assertThat(bySysfs[2]).as("VS").isGreaterThanOrEqualTo(0x1_0000);
    }

    @Test
    void aControllerThatVfioHasReadsTheSame() throws Exception {
        new DriverBinding(bus, NVME).bind(DriverBinding.VFIO_PCI);
        int[] byVfio;
        try (PciFunction function = Pci.open("vfio:" + NVME)) {
            byVfio = words(function.bar(0));
            assertThatThrownBy(() -> PhysicalMemory.openReadOnly(address(NVME) + 8, 4))
                    .as("whose claim has its addresses")
                    .isInstanceOf(DeviceBusyException.class)
                    .hasMessageContaining("process " + ProcessHandle.current().pid());
        }
        new DriverBinding(bus, NVME).detach();
        // Opened so that it decodes its addresses.
        int[] bySysfs;
        try (PciFunction function = Pci.open("sysfs:" + NVME)) {
            bySysfs = words(function.bar(0));
        }
        assertThat(bySysfs).isEqualTo(byVfio);
    }

    @Test
    void eduComputesBehindItsPhysicalAddress() throws Exception {
        try (PhysicalMemory memory = PhysicalMemory.open(address(EDU), 0x100)) {
            Registers edu = memory.registers();
            edu.write32(EDU_FACTORIAL, 10);
            long deadline = System.nanoTime() + SOON.toNanos();
            while ((edu.read32(EDU_STATUS) & EDU_STATUS_COMPUTING) != 0) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                Thread.onSpinWait();
            }
            assertThat(edu.read32(EDU_FACTORIAL)).isEqualTo(3_628_800);
            edu.write32(EDU_LIVENESS, 0x0f0f_1234);
            assertThatThrownBy(() -> Pci.open("sysfs:" + EDU))
                    .as("whose addresses are claimed")
                    .isInstanceOf(DeviceBusyException.class);
        }
        try (PciFunction function = Pci.open("sysfs:" + EDU)) {
            assertThat(function.bar(0).read32(EDU_LIVENESS)).isEqualTo(~0x0f0f_1234);
            assertThat(function.bar(0).read32(EDU_FACTORIAL)).isEqualTo(3_628_800);
        }
    }

    @Test
    void aRangeBeginsAndEndsWhereItWasToldTo() throws Exception {
        PhysicalMemory memory = PhysicalMemory.open(address(EDU) + EDU_LIVENESS, 4);
        memory.registers().write32(0, 0x5555_0000);
        assertThat(memory.registers().read32(0)).isEqualTo(0xaaaa_ffff);
        assertThat(memory.address()).isEqualTo(address(EDU) + EDU_LIVENESS);
        assertThat(memory.registers().sizeBytes()).isEqualTo(4);
        assertThatThrownBy(() -> memory.registers().read32(4)).isInstanceOf(IndexOutOfBoundsException.class);
        memory.close();
        memory.close();
        assertThatThrownBy(() -> memory.registers().read32(0)).isInstanceOf(IllegalStateException.class);
    }

    /** Before the end of the BIOS is its date, by old custom. */
    @Test
    void firmwareIsMemory() throws Exception {
        try (PhysicalMemory rom = PhysicalMemory.openReadOnly(0xffff5, 8)) {
            byte[] date = rom.segment().toArray(ValueLayout.JAVA_BYTE);
            assertThat(new String(date, StandardCharsets.US_ASCII)).matches("\\d\\d/\\d\\d/\\d\\d");
        }
    }

    @Test
    void ramIsRefused() throws Exception {
        IoResource ram = IoResources.memory().resources().stream()
                .filter(IoResource::isRam)
                .findFirst()
                .orElseThrow();
        for (long address : new long[] {ram.first(), ram.last(), ram.first() - 1}) {
            assertThatThrownBy(() -> PhysicalMemory.openReadOnly(address, 2))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("is RAM")
                    .hasMessageContaining(ram.toString());
        }
    }

    @Test
    void anAddressThatTheProcessorHasNot() {
        assertThatThrownBy(() -> PhysicalMemory.openReadOnly(1L << 60, 4))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("physical memory 0x1000000000000000")
                .hasMessageContaining("no such address");
    }

    /** Writes the scratch register; reads all but the receiver, which reading empties, and what waits for its reason. */
    private static byte[] scratch(Registers ports, int value) {
        ports.write8(SCRATCH, (byte) value);
        byte[] read = new byte[PORTS];
        for (int i = 3; i < PORTS; i++) {
            read[i] = ports.read8(i);
        }
        assertThat(read[SCRATCH]).isEqualTo((byte) value);
        return read;
    }

    @Test
    void a16550IsTheSameByEveryWay() throws Exception {
        new DriverBinding(bus, SERIAL).detach();
        int first = (int) address(SERIAL);
        byte[] bySysfs;
        try (PciFunction function = Pci.open("sysfs:" + SERIAL)) {
            bySysfs = scratch(function.bar(0), 0x5a);
            assertThatThrownBy(() -> IoPorts.open(first, PORTS)).isInstanceOf(DeviceBusyException.class);
        }
        byte[] byInstruction;
        try (IoPorts ports = IoPorts.open(first, PORTS)) {
            assertThat(ports.widestBits()).isEqualTo(Integer.SIZE);
            byInstruction = scratch(ports.registers(), 0xa5);
        }
        try (IoPorts ports = IoPorts.openFile(first, PORTS)) {
            assertThat(ports.registers().read8(SCRATCH)).isEqualTo((byte) 0xa5);
            assertThat(scratch(ports.registers(), 0xa5)).isEqualTo(byInstruction);
        }
        try (IoPorts ports = IoPorts.open(first, PORTS)) {
            assertThat(scratch(ports.registers(), 0x5a)).isEqualTo(bySysfs);
        }
        new DriverBinding(bus, SERIAL).bind(DriverBinding.VFIO_PCI);
        try (PciFunction function = Pci.open("vfio:" + SERIAL)) {
            assertThat(scratch(function.bar(0), 0x5a)).isEqualTo(bySysfs);
        }
    }

    /** The host bridge's address register of PCI's configuration mechanism 1 takes 32 bits alone: PCI 3.0, 3.2.2.3.2. */
    @Test
    void widthsAreExact() throws Exception {
        byte[] expected = Files.readAllBytes(Path.of("/sys/bus/pci/devices", EDU, "config"));
        Registers mechanism;
        try (IoPorts ports = IoPorts.open(0xcf8, 8)) {
            mechanism = ports.registers();
            mechanism.write32(0, 0x8000_3000);
            assertThat(mechanism.read32(0)).isEqualTo(0x8000_3000);
            assertThat(mechanism.read32(4)).isEqualTo(0x11e8_1234);
            assertThat(mechanism.read16(6)).isEqualTo((short) 0x11e8);
            assertThat(mechanism.read8(5)).isEqualTo(expected[1]);
            assertRefused(mechanism);
        }
        assertThatThrownBy(() -> mechanism.read8(0)).isInstanceOf(IllegalStateException.class);
    }

    private static void assertRefused(Registers mechanism) {
        assertThatThrownBy(() -> mechanism.read64(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> mechanism.read16(5)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> mechanism.read32(8)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> mechanism.write8(-1, (byte) 0)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void theFileMovesBytesAlone() throws Exception {
        try (IoPorts ports = IoPorts.openFile(0xcf8, 8)) {
            assertThat(ports.widestBits()).isEqualTo(Byte.SIZE);
            assertThatThrownBy(() -> ports.registers().read32(0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("moves bytes alone");
        }
    }
}
