package dev.outboard.cli;

import static dev.outboard.cli.Command.assertFails;
import static dev.outboard.cli.Command.assertWrongUsage;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is wrong about an address is said before anything is opened; what works is in {@code AddressesInGuestTest}. */
@Tag("emulated")
@Timeout(240)
class AddressCommandsTest {
    @Test
    void addressesThatAreNone() throws Exception {
        assertWrongUsage(Command.run("mem", "read", "-1"), "\"-1\" is negative");
        assertWrongUsage(Command.run("mem", "read", "0xfffffffffffffffc"), "beyond every region");
        assertWrongUsage(Command.run("mem", "read", "2"), "0x2 is not a multiple of 4");
        assertWrongUsage(Command.run("mem", "dump", "0x1001", "--width", "16"), "not a multiple of 2");
        assertWrongUsage(Command.run("mem", "read", "0", "--count", "-1"), "--count -1");
        assertWrongUsage(Command.run("mem", "read", "0", "--width", "24"), "8, 16, 32 or 64 bits");
        assertWrongUsage(Command.run("mem", "read", "BAR0"), "--names");
        assertWrongUsage(Command.run("mem", "dump"), "ADDRESS", "--base");
        assertWrongUsage(Command.run("mem", "write", "0", "0x100", "--width", "8"), "does not fit 8 bits");
        assertFails(Command.run("mem", "write", "0", "1"), "--destroy", "--dry-run");
        assertWrongUsage(Command.run("port", "read", "0x3f8", "--width", "64"), "8, 16 or 32 bits");
        assertFails(Command.run("port", "read", "65536"), "65536 I/O ports");
        assertFails(Command.run("port", "read", "0xffff", "--count", "2"), "65536 I/O ports");
        assertWrongUsage(Command.run("port", "watch"), "PORT");
    }

    @Test
    void wrongUsage() throws Exception {
        assertThat(Command.run("mem", "read").status()).isEqualTo(2);
        assertThat(Command.run("port", "write", "0x3f8").status()).isEqualTo(2);
        assertThat(Command.run("port").status()).isEqualTo(2);
        assertThat(Command.run("mem", "write", "--help").out()).contains("ADDRESS VALUE", "--verify");
    }

    @Test
    void aMachineWithoutPhysicalMemoryAndPorts() throws Exception {
        assumeFalse(Files.exists(Path.of("/dev/mem")) || Files.exists(Path.of("/dev/port")), "this machine has them");
        assertFails(Command.run("mem", "read", "0xfe000000"), "/dev/mem", "CONFIG_DEVMEM");
        assertFails(Command.run("port", "read", "0x80"), "I/O ports");
    }
}
