package dev.outboard.pci;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaBuf;
import dev.outboard.memory.DmaDirection;
import dev.outboard.memory.DmaLimits;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.DmaPool;
import dev.outboard.memory.HugePages;
import dev.outboard.memory.Mapping;
import dev.outboard.memory.Register;
import dev.outboard.memory.Registers;
import dev.outboard.memory.ScatterList;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * QEMU's edu device (docs/specs/edu.rst of QEMU) fetches and stores DMA memory of every kind that the rig's kernel has.
 */
@Tag("kernel")
@Timeout(120)
@EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "drives PCI function 00:06.0")
class DmaRoundTripTest {
    private static final String EDU = "0000:00:06.0";
    private static final Register DMA_SOURCE = edu("DMA_SOURCE", 0x80);
    private static final Register DMA_DESTINATION = edu("DMA_DESTINATION", 0x88);
    private static final Register DMA_COUNT = edu("DMA_COUNT", 0x90);
    private static final Register DMA_COMMAND = edu("DMA_COMMAND", 0x98);
    private static final int START = 1;
    private static final int FROM_DEVICE = 2;
    private static final long EDU_BUFFER = 0x40000;
    // Less than edu's buffer: QEMU 7.2 stops at an access that ends where the buffer does.
    private static final int BYTES = 2048;
    private static final Duration SOON = Duration.ofSeconds(30);

    private static final Path HUGE_PAGES = Path.of("/proc/sys/vm/nr_hugepages");
    private static final long HUGE = 2 << 20;

    private final PciBus bus = PciBus.system();
    private final DriverBinding binding = new DriverBinding(bus, EDU);

    private static Register edu(String name, long offset) {
        return Register.of(name, offset, 64, Register.Access.READ_WRITE, "edu");
    }

    @BeforeEach
    void setHugePagesAside() throws IOException {
        Files.writeString(HUGE_PAGES, "8");
    }

    @AfterEach
    void giveBack() throws IOException {
        Files.writeString(HUGE_PAGES, "0");
        binding.release();
    }

    private PciFunction openByVfio() throws IOException {
        binding.bind(DriverBinding.VFIO_PCI);
        PciFunction function = Pci.open("vfio:" + EDU);
        function.setBusMaster(true);
        return function;
    }

    /** The device fetches the first half of the memory, and stores it in the second. */
    private static void roundTrip(Registers registers, DmaMemory memory) throws IOException {
        DmaMemory from = memory.slice(0, BYTES);
        DmaMemory to = memory.slice(memory.sizeBytes() - BYTES, BYTES);
        for (int i = 0; i < BYTES; i += Long.BYTES) {
            from.segment().set(JAVA_LONG, i, 0x9e37_79b9_7f4a_7c15L * (i + 1));
        }
        to.segment().fill((byte) 0x55);
        memory.syncForDevice(DmaDirection.BIDIRECTIONAL);
        transfer(registers, from.deviceAddress(), EDU_BUFFER, BYTES, 0);
        transfer(registers, EDU_BUFFER, to.deviceAddress(), BYTES, FROM_DEVICE);
        memory.syncForCpu(DmaDirection.BIDIRECTIONAL);
        assertThat(to.segment().mismatch(from.segment())).isEqualTo(-1);
    }

    private static void transfer(Registers registers, long from, long to, long count, int direction)
            throws IOException {
        registers.write(DMA_SOURCE, from);
        registers.write(DMA_DESTINATION, to);
        registers.write(DMA_COUNT, count);
        registers.write(DMA_COMMAND, START | direction);
        registers.pollUntil(DMA_COMMAND, command -> (command & START) == 0, SOON);
    }

    @Test
    void memoryThatVfioMaps() throws IOException {
        try (PciFunction function = openByVfio()) {
            DmaLimits limits =
                    DmaLimits.NONE.alignedTo(4096).notCrossing(64 << 10).addressBits(28);
            DmaMemory memory = function.dma().allocate(64 << 10, limits);
            assertThat(memory.deviceAddress() % (64 << 10)).isZero();
            assertThat(memory.deviceAddress() >>> 28).isZero();
            assertThat(memory.isCoherent()).isTrue();
            roundTrip(function.bar(0), memory);
        }
    }

    @Test
    void buffersOfAPool() throws IOException {
        try (PciFunction function = openByVfio();
                DmaPool pool = DmaPool.of(function.dma(), 4, 2 * BYTES, DmaLimits.NONE)) {
            for (DmaMemory buffer = pool.take(); buffer != null; buffer = pool.take()) {
                roundTrip(function.bar(0), buffer);
            }
        }
    }

    @Test
    void hugePagesThatVfioMaps() throws IOException {
        try (PciFunction function = openByVfio();
                Fd file = Fd.memfd("huge", 2 * HUGE, HUGE);
                DmaMemory memory = function.dma().map(file)) {
            assertThat(Files.readString(Path.of("/proc/meminfo"))).contains("HugePages_Free:        6");
            assertThat(memory.sizeBytes()).isEqualTo(2 * HUGE);
            assertThat(memory.deviceAddress() % HUGE).isZero();
            roundTrip(function.bar(0), memory);
        }
    }

    @Test
    void aFileThatIsNoLongerMappedIsOutOfTheDevicesReach() throws IOException {
        try (PciFunction function = openByVfio();
                Fd file = Fd.memfd("shared", HUGE)) {
            DmaMemory memory = function.dma().map(file);
            long address = memory.deviceAddress();
            memory.segment().fill((byte) 1);
            transfer(function.bar(0), address, EDU_BUFFER, BYTES, 0);
            memory.close();
            // The IOMMU stops this one.
            transfer(function.bar(0), EDU_BUFFER, address + 4096, BYTES, FROM_DEVICE);
            try (Mapping seen = Mapping.of(file).map()) {
                assertThat(seen.segment().asSlice(4096, BYTES).toArray(JAVA_BYTE))
                        .containsOnly(1);
            }
            // Its address serves again.
            try (DmaMemory again = function.dma().map(file)) {
                assertThat(again.deviceAddress()).isEqualTo(address);
                roundTrip(function.bar(0), again);
            }
        }
    }

    @Test
    void theMemoryOfADmaBufThatVfioMaps() throws IOException {
        for (long hugePageBytes : new long[] {0, HUGE}) {
            try (PciFunction function = openByVfio();
                    DmaBuf buffer = DmaBuf.create(HUGE, hugePageBytes);
                    DmaMemory memory = function.dma().map(buffer)) {
                assertThat(memory.isCoherent()).isFalse();
                roundTrip(function.bar(0), memory);
                // Whoever gets the descriptor sees what the device stored.
                try (Mapping seen = Mapping.of(buffer.descriptor()).length(HUGE).map()) {
                    assertThat(seen.segment().mismatch(memory.segment())).isEqualTo(-1);
                }
            }
        }
    }

    @Test
    void aDmaBufIsRefusedInOneLine() {
        long page = 4096;
        for (long size : new long[] {0, -page, 1, page + 1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> DmaBuf.create(size));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> DmaBuf.create(page, HUGE));
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> DmaBuf.create(1L << 30))
                .withMessageContaining("/sys/module/udmabuf/parameters/size_limit_mb");
    }

    @Test
    void hugePagesByTheirPhysicalAddress() throws IOException {
        assertThat(Files.readString(Path.of("/sys/bus/pci/devices/" + EDU + "/iommu_group/type")))
                .as("iommu=pt")
                .isEqualToIgnoringNewLines("identity");
        try (PciFunction edu = Pci.open("sysfs:" + EDU)) {
            edu.setBusMaster(true);
            DmaAllocator dma = edu.dma();
            DmaMemory memory = dma.allocate(HUGE);
            assertThat(memory.deviceAddress() % HUGE).isZero();
            roundTrip(edu.bar(0), memory);
            roundTrip(edu.bar(0), dma.allocate(8192));
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> dma.allocate(HUGE + 1))
                    .withMessageContaining("a huge page has 2097152");
        }
    }

    @Test
    void aBufferOfSeveralHugePagesByItsScatterList() throws IOException {
        try (PciFunction edu = Pci.open("sysfs:" + EDU);
                HugePages source = HugePages.ofSize(HUGE);
                HugePages.Buffer buffer = source.buffer(3 * HUGE - 5)) {
            edu.setBusMaster(true);
            assertThat(buffer.segment().byteSize()).isEqualTo(3 * HUGE);
            // Across the end of a page.
            long start = HUGE - BYTES / 2;
            for (int i = 0; i < BYTES; i++) {
                buffer.segment().set(JAVA_BYTE, start + i, (byte) (i * 7));
            }
            ScatterList list = new ScatterList(8, DmaLimits.NONE.elementsUpTo(512));
            list.add(buffer.pages(), start, BYTES);
            assertThat(list.count()).isEqualTo(4);
            long at = EDU_BUFFER;
            for (int i = 0; i < list.count(); i++) {
                transfer(edu.bar(0), list.address(i), at, list.length(i), 0);
                at += list.length(i);
            }
            DmaMemory last = buffer.pages().getLast();
            transfer(edu.bar(0), EDU_BUFFER, last.deviceAddress(), BYTES, FROM_DEVICE);
            assertThat(last.segment()
                            .asSlice(0, BYTES)
                            .mismatch(buffer.segment().asSlice(start, BYTES)))
                    .isEqualTo(-1);
        }
    }

    @Test
    void hugePagesThatAreMissingOrOutOfReachAreExplained() throws IOException {
        try (HugePages source = HugePages.ofSize(HUGE)) {
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> source.buffer(9 * HUGE))
                    .withMessageContaining("sysctl vm.nr_hugepages=N");
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> new DmaAllocator(source).allocate(1, DmaLimits.NONE.addressBits(20)))
                    .withMessageContaining("none of the 8 huge pages that are free lies where the device reaches");
            for (long size : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
                assertThatIllegalArgumentException().isThrownBy(() -> source.buffer(size));
            }
            // All were given back.
            assertThat(source.buffer(8 * HUGE).pages()).hasSize(8);
        }
        for (long size : new long[] {0, -1, 4096, 3 << 20}) {
            assertThatIllegalArgumentException().isThrownBy(() -> HugePages.ofSize(size));
        }
    }

    @Test
    void physicalAddressesAreHiddenFromOrdinaryUsers() throws Exception {
        Process user = new ProcessBuilder(List.of(
                        "setpriv",
                        "--bounding-set=-sys_admin",
                        "--inh-caps=-sys_admin",
                        "java",
                        "@" + System.getProperty("outboard.java.options"),
                        "-m",
                        "dev.outboard.pci/" + PhysicalAddressProgram.class.getName()))
                .redirectErrorStream(true)
                .start();
        String said = new String(user.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(user.waitFor()).as(said).isEqualTo(1);
        assertThat(said).contains("EPERM").contains("without CAP_SYS_ADMIN: run as root, or use VFIO");
    }

    @Test
    void theLimitOfLockedMemoryIsExplainedWhenItIsHit() throws Exception {
        binding.bind(DriverBinding.VFIO_PCI);
        Process user = new ProcessBuilder(List.of(
                        "prlimit",
                        "--memlock=5242880:5242880",
                        "setpriv",
                        "--bounding-set=-ipc_lock",
                        "--inh-caps=-ipc_lock",
                        "java",
                        "@" + System.getProperty("outboard.java.options"),
                        "-m",
                        "dev.outboard.pci/" + LockedMemoryProgram.class.getName(),
                        EDU))
                .redirectErrorStream(true)
                .start();
        String said = new String(user.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(user.waitFor()).as(said).isEqualTo(1);
        assertThat(said)
                .contains("ioctl VFIO_IOMMU_MAP_DMA")
                .contains("2097152 bytes more were to be locked than the 4194304 that are")
                .contains("the limit of locked memory is 5242880;")
                .contains("ulimit -l unlimited");
    }
}
