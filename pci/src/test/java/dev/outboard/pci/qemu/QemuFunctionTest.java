package dev.outboard.pci.qemu;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.edu.EduRegisters;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** QEMU's device models without a guest: configuration space, BARs, interrupts, reset, and how they end. */
@Tag("emulated")
@Timeout(120)
class QemuFunctionTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    // Intel 82574L data sheet, 10.2.2.2, 10.2.5.
    private static final long E1000E_STATUS = 0x8;
    private static final int E1000E_STATUS_GIO_MASTER_ENABLED = 1 << 19;
    private static final long E1000E_RAL0 = 0x5400;
    private static final long E1000E_RAH0 = 0x5404;
    private static final int E1000E_RAH_VALID = 1 << 31;

    // Virtio 1.2, 4.1.4: capabilities that are the vendor's tell where structures are.
    private static final int VENDOR_CAPABILITY = 0x09;
    private static final long VIRTIO_CAPABILITY_BAR = 4;
    private static final long VIRTIO_CAPABILITY_OFFSET = 8;
    private static final long VIRTIO_QUEUES = 0x12;
    private static final long VIRTIO_FIRST_STRUCTURE_TYPE = 3;

    @TempDir
    Path directory;

    @BeforeAll
    static void requireQemu() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-system-x86_64")), "needs QEMU: qemu-system-x86");
    }

    private static ProcessHandle qemuOf(ProcessHandle parent) {
        return parent.children()
                .filter(child -> child.info().command().orElse("").contains("qemu-system"))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({
        "nvme, 1b36, 0010, 4096",
        "edu, 1234, 11e8, 256",
        "e1000e, 8086, 10d3, 4096",
        "pci-serial-2x, 1b36, 0003, 256",
        "virtio-blk-pci, 1af4, 1042, 256"
    })
    void configurationSpaceIsTheDevicesOwn(String model, String vendor, String device, long bytes) throws IOException {
        try (PciFunction function =
                Pci.open("qemu:" + model + (model.startsWith("virtio") ? "?disable-legacy=on" : ""))) {
            Registers configuration = function.configuration();
            assertThat(configuration.read(PciConfiguration.VENDOR_ID)).isEqualTo(Long.parseLong(vendor, 16));
            assertThat(configuration.read(PciConfiguration.DEVICE_ID)).isEqualTo(Long.parseLong(device, 16));
            assertThat(configuration.sizeBytes()).isEqualTo(bytes);
            assertThat(configuration.read8(0)).isEqualTo((byte) Integer.parseInt(vendor.substring(2), 16));
            assertThat(PciConfiguration.COMMAND_BUS_MASTER.isSet(configuration.read(PciConfiguration.COMMAND)))
                    .isFalse();
        }
    }

    @Test
    void aNetworkCardAnswersWithItsAddressInMemoryAndByPorts() throws IOException {
        try (PciFunction function = Pci.open("qemu:e1000e?mac=52:54:00:12:34:56")) {
            Registers registers = function.bar(0);
            assertThat(registers.sizeBytes()).isEqualTo(128 << 10);
            assertThat(registers.read32(E1000E_RAL0)).isEqualTo(0x12005452);
            assertThat(registers.read32(E1000E_RAH0)).isEqualTo(E1000E_RAH_VALID | 0x5634);
            assertThat(registers.read32(E1000E_STATUS) & E1000E_STATUS_GIO_MASTER_ENABLED)
                    .isNotZero();
            // BAR 2 is a pair of ports, IOADDR and IODATA, to the same registers.
            Registers ports = function.bar(2);
            ports.write32(0, (int) E1000E_RAL0);
            assertThat(ports.read32(4)).isEqualTo(0x12005452);
            assertThatThrownBy(() -> ports.read64(0)).hasMessageContaining("8, 16 and 32 bits");
            assertThatThrownBy(() -> function.bar(5))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("no BAR 5");
        }
    }

    @Test
    void aVirtioDeviceSaysHowManyQueuesItHas() throws IOException {
        try (PciFunction function = Pci.open("qemu:virtio-blk-pci?size=1M&num-queues=3")) {
            Registers capability = Capabilities.find(function.configuration(), VENDOR_CAPABILITY);
            assertThat(capability).isNotNull();
            long offset = capability.read32(VIRTIO_CAPABILITY_OFFSET);
            int bar = capability.read8(VIRTIO_CAPABILITY_BAR);
            while (capability.read8(VIRTIO_FIRST_STRUCTURE_TYPE) != 1) {
                long next = PciConfiguration.CAPABILITY_NEXT.get(capability.read(PciConfiguration.CAPABILITY_HEADER));
                assertThat(next).isNotZero();
                capability = function.configuration().slice(next, PciConfiguration.SIZE_BYTES - next);
                offset = capability.read32(VIRTIO_CAPABILITY_OFFSET);
                bar = capability.read8(VIRTIO_CAPABILITY_BAR);
            }
            assertThat(function.bar(bar).read16(offset + VIRTIO_QUEUES)).isEqualTo((short) 3);
            // One a queue, and one for changes of the configuration.
            assertThat(function.interruptVectors()).isEqualTo(4);
        }
    }

    @Test
    void registersTakeAccessesOfTheirWidth() throws IOException {
        try (PciFunction function = Pci.open("qemu:nvme")) {
            Registers registers = function.bar(0);
            long capabilities = registers.read64(NvmeRegisters.CAP.offset());
            assertThat(registers.read32(NvmeRegisters.CAP.offset())).isEqualTo((int) capabilities);
            assertThat(registers.read32(NvmeRegisters.CAP.offset() + 4)).isEqualTo((int) (capabilities >>> 32));
            assertThat(NvmeRegisters.CAP_MQES.get(capabilities)).isEqualTo(2047);
            assertThatThrownBy(() -> registers.read32(registers.sizeBytes()))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    private static void move(PciFunction edu, long from, long to, long command) throws IOException {
        Registers registers = edu.bar(0);
        registers.write(EduRegisters.DMA_SOURCE, from);
        registers.write(EduRegisters.DMA_DESTINATION, to);
        registers.write(EduRegisters.DMA_COUNT, Long.BYTES);
        registers.write(EduRegisters.DMA_COMMAND, command | EduRegisters.DMA_RUN.mask());
        registers.pollUntil(EduRegisters.DMA_COMMAND, value -> !EduRegisters.DMA_RUN.isSet(value), SOON);
    }

    @Test
    void theDeviceReachesMemoryOnlyWhileItIsBusMaster() throws IOException {
        long value = 0x0123_4567_89ab_cdefL;
        try (PciFunction function = Pci.open("qemu:edu");
                DmaMemory memory = function.dma().allocate(2 * Long.BYTES)) {
            assertThat(memory.deviceAddress()).isGreaterThanOrEqualTo(16L << 20);
            function.setBusMaster(true);
            memory.segment().set(JAVA_LONG, 0, value);
            move(function, memory.deviceAddress(), EduRegisters.BUFFER, 0);
            function.setBusMaster(false);
            move(function, EduRegisters.BUFFER, memory.deviceAddress() + Long.BYTES, EduRegisters.DMA_DIRECTION.mask());
            assertThat(memory.segment().get(JAVA_LONG, Long.BYTES)).isZero();
            function.setBusMaster(true);
            move(function, EduRegisters.BUFFER, memory.deviceAddress() + Long.BYTES, EduRegisters.DMA_DIRECTION.mask());
            assertThat(memory.segment().get(JAVA_LONG, Long.BYTES)).isEqualTo(value);
        }
    }

    @Test
    void memoryEnds() throws IOException {
        try (PciFunction function = Pci.open("qemu:edu")) {
            assertThatThrownBy(() -> function.dma().allocate(1L << 31)).hasMessageContaining("no room");
            function.dma().allocate(1L << 29).close();
        }
    }

    @Test
    void anInterruptPinFiresOnceUntilItIsRearmed() throws IOException {
        // Two ports, no MSI: the transmitter's "empty" raises the pin as long as it is enabled.
        try (PciFunction function = Pci.open("qemu:pci-serial-2x")) {
            Registers ports = function.bar(0);
            long interruptEnable = 1;
            byte transmitterEmpty = 2;
            Interrupt interrupt = function.enableInterrupts(1).getFirst();
            assertThat(interrupt.poll()).isZero();
            ports.write8(interruptEnable, transmitterEmpty);
            assertThat(interrupt.await(SOON)).isEqualTo(1);
            assertThat(interrupt.poll()).isZero();
            interrupt.rearm();
            assertThat(interrupt.await(SOON)).isEqualTo(1);
            ports.write8(interruptEnable, (byte) 0);
            interrupt.rearm();
            assertThat(interrupt.poll()).isZero();
        }
    }

    private static void raise(PciFunction edu) throws IOException {
        edu.bar(0).write(EduRegisters.INTERRUPT_RAISE, 1);
        edu.bar(0).write(EduRegisters.INTERRUPT_ACKNOWLEDGE, 1);
    }

    @Test
    void messagesAreCountedAndStayEnabledAcrossAReset() throws IOException {
        try (PciFunction function = Pci.open("qemu:edu")) {
            assertThat(function.interruptVectors()).isEqualTo(1);
            function.setBusMaster(true);
            Interrupt interrupt = function.enableInterrupts(1).getFirst();
            raise(function);
            raise(function);
            assertThat(interrupt.await(SOON)).isEqualTo(2);
            function.bar(0).write(EduRegisters.LIVENESS, 5);
            function.reset();
            assertThat(PciConfiguration.COMMAND_BUS_MASTER.isSet(
                            function.configuration().read(PciConfiguration.COMMAND)))
                    .isFalse();
            raise(function);
            assertThat(interrupt.poll()).as("not bus master").isZero();
            function.setBusMaster(true);
            raise(function);
            assertThat(interrupt.await(SOON)).isEqualTo(1);
        }
    }

    @Test
    void interruptsThatReplaceOthersCloseThemAndWakeWhoWaits() throws Exception {
        try (PciFunction function = Pci.open("qemu:edu");
                ExecutorService waiters = Executors.newSingleThreadExecutor()) {
            function.setBusMaster(true);
            Interrupt before = function.enableInterrupts(1).getFirst();
            Future<Long> waiter = waiters.submit(() -> before.await(SOON));
            Interrupt after = function.enableInterrupts(1).getFirst();
            assertThatThrownBy(waiter::get).hasMessageContaining("the interrupt was closed");
            assertThat(after.poll()).isZero();
            raise(function);
            assertThat(after.await(SOON)).isEqualTo(1);
            assertThat(function.enableInterrupts(0)).isEmpty();
            assertThatThrownBy(() -> function.enableInterrupts(2)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aDeviceIsGoneWithItsQemu() throws Exception {
        PciFunction function = Pci.open("qemu:edu");
        try (function;
                ExecutorService waiters = Executors.newSingleThreadExecutor()) {
            function.checkPresent();
            Interrupt interrupt = function.enableInterrupts(1).getFirst();
            Future<Long> waiter = waiters.submit(() -> interrupt.await(SOON));
            qemuOf(ProcessHandle.current()).destroyForcibly();
            assertThatThrownBy(waiter::get).hasCauseInstanceOf(DeviceGoneException.class);
            assertThatThrownBy(function::checkPresent)
                    .isInstanceOf(DeviceGoneException.class)
                    .hasMessageContaining("QEMU (pid ")
                    .hasMessageContaining("ended");
            assertThat(function.bar(0).read32(0)).isEqualTo(-1);
            function.bar(0).write32(4, 1);
        }
        assertThatThrownBy(() -> function.bar(0)).hasMessageContaining("closed");
        function.close();
    }

    @Test
    void closingEndsQemuAndLeavesNothingBehind() throws Exception {
        PciFunction function = Pci.open("qemu:nvme?size=1M");
        ProcessHandle process = qemuOf(ProcessHandle.current());
        Registers registers = function.bar(0);
        assertThat(process.isAlive()).isTrue();
        function.close();
        function.close();
        process.onExit().get(SOON.toSeconds(), TimeUnit.SECONDS);
        assertThatThrownBy(() -> registers.read32(0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    private static ProcessBuilder holdingProgram() {
        String classes = System.getProperty("jdk.module.path") + ":" + Path.of("target", "test-classes");
        return new ProcessBuilder(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classes,
                HoldingProgram.class.getName(),
                "qemu:edu"));
    }

    @Test
    void qemuDiesWithTheProcessThatStartedIt() throws Exception {
        Process holder =
                holdingProgram().redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader said = holder.inputReader()) {
            assertThat(said.readLine()).isEqualTo("qemu:edu");
            ProcessHandle process = qemuOf(holder.toHandle());
            assertThat(process.isAlive()).isTrue();
            holder.destroyForcibly();
            process.onExit().get(SOON.toSeconds(), TimeUnit.SECONDS);
        } finally {
            holder.destroyForcibly();
        }
    }

    @Test
    void whereThereIsNoQemuItsPackageIsNamed() throws Exception {
        ProcessBuilder program = holdingProgram();
        program.environment().put("PATH", directory.toString());
        Process process = program.start();
        try (BufferedReader errors = process.errorReader()) {
            assertThat(errors.readLine()).endsWith("apt-get install qemu-system-x86");
        }
        assertThat(process.waitFor()).isEqualTo(1);
    }

    @Test
    void aDriveInAFileKeepsItsSizeAndHasTheAskedOne() throws IOException {
        Path image = directory.resolve("a, disk.img");
        Pci.open("qemu:nvme?size=2M&file=" + image).close();
        assertThat(Files.size(image)).isEqualTo(2 << 20);
        Pci.open("qemu:nvme?file=" + image).close();
        assertThat(Files.size(image)).isEqualTo(2 << 20);
        assertThatThrownBy(() -> Pci.open("qemu:nvme?file=/dev/null")).hasMessageContaining("no regular file");
    }

    @Test
    void whatQemuRefusesIsSaidInItsOwnWords() {
        assertThatThrownBy(() -> Pci.open("qemu:flux-capacitor"))
                .isInstanceOf(DeviceException.class)
                .hasMessageStartingWith("qemu:flux-capacitor: QEMU (pid ")
                .hasMessageContaining("'flux-capacitor' is not a valid device model name")
                .hasMessageNotContaining("\n");
        assertThatThrownBy(() -> Pci.open("qemu:edu?colour=red"))
                .hasMessageContaining("Property 'edu.colour' not found");
        assertThatThrownBy(() -> Pci.open("qemu:nvme?ns1.size=1M&ns2.colour=red"))
                .hasMessageContaining("Property 'nvme-ns.colour' not found");
        assertThatThrownBy(() -> Pci.open("qemu:usb-kbd")).hasMessageContaining("usb-kbd");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "qemu:edu,id=x",
                "qemu:edu?addr=5",
                "qemu:edu?dma_mask",
                "qemu:?x=y",
                "qemu:edu?ns1.size=1M",
                "qemu:nvme?ns1.nsid=2",
                "qemu:nvme?size=1M&ns1.size=1M"
            })
    void addressesThatCannotBeAreRefusedBeforeQemuStarts(String address) {
        assertThatThrownBy(() -> Pci.open(address)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void bridgesAreRefused() {
        assertThatThrownBy(() -> Pci.open("qemu:pcie-root-port")).hasMessageContaining("is a bridge");
    }

    @Test
    void severalAtATimeDoNotDisturbEachOther() throws IOException {
        try (PciFunction first = Pci.open("qemu:edu");
                PciFunction second = Pci.open("qemu:edu")) {
            first.bar(0).write(EduRegisters.LIVENESS, 1);
            second.bar(0).write(EduRegisters.LIVENESS, 2);
            assertThat(List.of((int) first.bar(0).read(EduRegisters.LIVENESS), (int)
                            second.bar(0).read(EduRegisters.LIVENESS)))
                    .containsExactly(~1, ~2);
        }
    }
}
