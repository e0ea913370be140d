package dev.outboard.peripherals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranges that are none are refused before anything is opened; what this machine lacks is said in one line. */
class BadRangesTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "0, -1",
        "-1, 1",
        "-4096, 4096",
        "9223372036854775807, 1",
        "1, 9223372036854775807",
        "9223372036854775000, 4096",
        "-9223372036854775808, -9223372036854775808"
    })
    void noPhysicalAddresses(long address, long lengthBytes) {
        assertThatThrownBy(() -> PhysicalMemory.open(address, lengthBytes))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no range of physical addresses");
        assertThatThrownBy(() -> PhysicalMemory.openReadOnly(address, lengthBytes))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, -1", "-1, 1", "65536, 1", "65535, 2", "0, 65537", "2147483647, 2147483647"})
    void noPorts(int first, int count) {
        assertThatThrownBy(() -> IoPorts.open(first, count))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no range of I/O ports");
        assertThatThrownBy(() -> IoPorts.openFile(first, count)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aMachineWithoutTheFilesSaysSo() {
        assumeFalse(Files.exists(Path.of("/dev/mem")), "this machine has /dev/mem");
        assertThatThrownBy(() -> PhysicalMemory.open(0, 4))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("CONFIG_DEVMEM")
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
    }
}
