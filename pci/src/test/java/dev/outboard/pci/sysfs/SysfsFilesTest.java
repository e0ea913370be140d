package dev.outboard.pci.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.memory.Registers;
import dev.outboard.pci.FakeMachine;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is read from and written to which file; that a device is behind them is shown by {@code SysfsFunctionTest}. */
class SysfsFilesTest {
    private static final String ADDRESS = "0000:00:09.0";
    private static final int COMMAND = 0x04;
    private static final int FORMER_COMMAND = 0x0106;

    @TempDir
    private Path root;

    private FakeMachine machine;
    private Path directory;

    @BeforeEach
    void build() throws IOException {
        machine = FakeMachine.typical(root);
        machine.function("pci0000:00/" + ADDRESS, 0x1234, 0x5678, 0x070002, """
                0x00000000fe901100 0x00000000fe9011ff 0x0000000000040200
                0x000000000000e100 0x000000000000e107 0x0000000000040101
                0x00000000fe902000 0x00000000fe903fff 0x0000000000040200
                """);
        directory = root.resolve(FakeMachine.device(ADDRESS));
        byte[] configuration = new byte[256];
        ByteBuffer.wrap(configuration)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, 0x5678_1234)
                .putShort(COMMAND, (short) FORMER_COMMAND);
        Files.write(directory.resolve("config"), configuration);
        Files.write(directory.resolve("resource0"), new byte[4096]);
        Files.write(directory.resolve("resource1"), new byte[8]);
        Files.write(directory.resolve("resource2"), new byte[8192]);
        Files.writeString(directory.resolve("enable"), "0\n");
    }

    private PciFunction open(boolean writable) throws IOException {
        return SysfsAccessPath.open(machine.bus(), DeviceAddress.parse("sysfs:00:09.0"), writable);
    }

    private short command() throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(directory.resolve("config")))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getShort(COMMAND);
    }

    private int atByte(String file, int offset) throws IOException {
        try (RandomAccessFile bytes =
                new RandomAccessFile(directory.resolve(file).toFile(), "r")) {
            bytes.seek(offset);
            return bytes.read();
        }
    }

    @Test
    void openingEnablesDecodingWithoutDmaAndInTxAndClosingRestoresTheRest() throws IOException {
        try (PciFunction function = open(true)) {
            assertThat(command()).isEqualTo((short) 0x0503);
            assertThat(Files.readString(directory.resolve("enable"))).isEqualTo("1\n");
            function.setBusMaster(true);
            assertThat(command()).isEqualTo((short) 0x0507);
            function.setBusMaster(false);
            assertThat(command()).isEqualTo((short) 0x0503);
            assertThat(function.interruptVectors()).isZero();
            assertThat(function.enableInterrupts(0)).isEmpty();
            assertThatThrownBy(() -> function.enableInterrupts(1)).isInstanceOf(IllegalArgumentException.class);
            Files.createDirectories(directory.resolve("iommu_group"));
            Files.writeString(directory.resolve("iommu_group/type"), "DMA-FQ\n");
            assertThatThrownBy(() -> function.dma().allocate(1))
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("an IOMMU translates its addresses (DMA-FQ)")
                    .hasMessageContaining("outboard bind 00:09.0 vfio");
            assertThatThrownBy(function::reset)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("no way to reset");
            Files.writeString(directory.resolve("reset"), "");
            function.reset();
            assertThat(Files.readString(directory.resolve("reset"))).isEqualTo("1\n");
            function.checkPresent();
        }
        assertThat(command()).isEqualTo((short) (FORMER_COMMAND & ~4));
        assertThat(Files.readString(directory.resolve("enable"))).isEqualTo("0\n");
        assertThat(machine.bus().claims()).isEmpty();
    }

    @Test
    void aBarIsWhereItsAddressIsInItsPage() throws IOException {
        PciFunction function = open(true);
        Registers bar = function.bar(0);
        assertThat(bar.isMapped()).isTrue();
        assertThat(bar.sizeBytes()).isEqualTo(0x100);
        bar.write8(0xff, (byte) 0x5a);
        assertThat(atByte("resource0", 0x1ff)).isEqualTo(0x5a);
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> bar.read8(0x100));
        assertThat(function.bar(2).sizeBytes()).isEqualTo(0x2000);
        assertThat(function.bar(0)).isSameAs(bar);
        assertThatThrownBy(() -> function.bar(3)).hasMessageContaining("has no BAR 3");
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> function.bar(6));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> function.bar(-1));
        function.close();
        function.close();
        assertThatThrownBy(() -> bar.read8(0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> function.bar(1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void portsAreReadAndWrittenInTheirWidths() throws IOException {
        try (PciFunction function = open(true)) {
            Registers ports = function.bar(1);
            assertThat(ports.isMapped()).isFalse();
            ports.write16(2, (short) 0x1234);
            assertThat(atByte("resource1", 2)).isEqualTo(0x34);
            assertThat(atByte("resource1", 4)).isZero();
            assertThat(ports.read8(3)).isEqualTo((byte) 0x12);
            assertThat(ports.read32(0)).isEqualTo(0x1234_0000);
            assertThatThrownBy(() -> ports.read64(0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("8, 16 or 32 bits");
            assertThatThrownBy(() -> ports.write64(0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> ports.read16(1)).isInstanceOf(IllegalArgumentException.class);
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> ports.read32(8));
        }
    }

    @Test
    void whoLooksWritesNothing() throws IOException {
        machine.bind(ADDRESS, "serial");
        try (PciFunction function = open(false)) {
            assertThat(function.configuration().read(PciConfiguration.VENDOR_ID))
                    .isEqualTo(0x1234);
            Registers bar = function.bar(0);
            assertThat(bar.read32(0)).isZero();
            assertThatThrownBy(() -> bar.write32(0, 1)).isInstanceOf(UnsupportedOperationException.class);
            assertThatThrownBy(() -> function.bar(1).write8(0, (byte) 1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("opened to look");
            assertThatThrownBy(() -> function.configuration().write(PciConfiguration.COMMAND, 0))
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> function.setBusMaster(true)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(function::reset).isInstanceOf(IllegalStateException.class);
        }
        assertThat(command()).isEqualTo((short) FORMER_COMMAND);
        assertThat(Files.readString(directory.resolve("enable"))).isEqualTo("0\n");
        assertThat(atByte("resource0", 0x100)).isZero();
    }

    @Test
    void whatSomebodyElseDrivesIsRefusedByName() throws IOException {
        machine.bind(ADDRESS, "serial");
        assertThatThrownBy(() -> open(true))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("driven by the kernel's serial")
                .hasMessageContaining("outboard bind 0000:00:09.0 sysfs");
        machine.bind(ADDRESS, "vfio-pci");
        assertThatThrownBy(() -> open(true))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("open vfio:0000:00:09.0");
        machine.write(FakeMachine.device(ADDRESS) + "/class", "0x060400");
        assertThatThrownBy(() -> open(true)).isInstanceOf(DeviceException.class).hasMessageContaining("is a bridge");
        assertThat(machine.bus().device(ADDRESS).accessPaths()).isEmpty();
        open(false).close();
        assertThat(machine.bus().claims()).isEmpty();
    }

    @Test
    void anOpenFunctionHasItsAddressesAndPortsToo() throws IOException {
        try (PciFunction function = open(true)) {
            assertThatThrownBy(() -> open(false)).isInstanceOf(DeviceBusyException.class);
            assertThatThrownBy(() -> machine.bus().claimRegisters(ADDRESS, 0, 0, 4))
                    .isInstanceOf(DeviceBusyException.class);
            assertThatThrownBy(() -> machine.claims().claim("mem", 0xfe90_11fcL, 8))
                    .hasMessageContaining("which has mem 0xfe901100-0xfe9011ff");
            assertThatThrownBy(() -> machine.claims().claim("port", 0xe107, 1))
                    .hasMessageContaining("port 0xe100-0xe107");
            machine.claims().claim("port", 0xe108, 1).close();
            function.checkPresent();
        }
        try (var range = machine.claims().claim("mem", 0xfe90_1000L, 0x101)) {
            assertThat(range.target().isWhole()).isFalse();
            assertThatThrownBy(() -> open(true)).isInstanceOf(DeviceBusyException.class);
            assertThatThrownBy(() -> machine.bus().claimRegisters(ADDRESS, 0, 0, 4))
                    .isInstanceOf(DeviceBusyException.class);
            machine.bus().claimRegisters(ADDRESS, 0, 4, 4).close();
            assertThat(machine.bus().claims()).isEmpty();
        }
        open(true).close();
    }

    @Test
    void aFunctionThatAnswersAllOnesIsGone() throws IOException {
        try (PciFunction function = open(true)) {
            Registers ports = function.bar(1);
            Files.write(
                    directory.resolve("config"),
                    ByteBuffer.allocate(256).putInt(-1).array());
            ports.write8(0, (byte) -1);
            assertThat(ports.read8(0)).isEqualTo((byte) -1);
            assertThatExceptionOfType(DeviceGoneException.class).isThrownBy(function::checkPresent);
            ports.write8(1, (byte) 1);
            assertThat(atByte("resource1", 1)).isZero();
            assertThat(ports.read16(2)).isEqualTo((short) -1);
        }
    }
}
