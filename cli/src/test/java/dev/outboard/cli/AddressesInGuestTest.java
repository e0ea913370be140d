package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Physical memory, I/O ports, sysfs and claims from the shell, on a kernel that keeps its drivers' registers to itself. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "writes to fixed functions")
@SuppressWarnings("unchecked")
class AddressesInGuestTest {
    private static final String EDU = "0000:00:06.0";
    private static final String SERIAL = "0000:00:08.0";
    private static final int NOBODY = 65534;

    private final PciBus bus = PciBus.system();

    @AfterEach
    void giveBack() throws IOException {
        new DriverBinding(bus, EDU).release();
    }

    private String address(String function, long offset) throws IOException {
        return "0x" + Long.toHexString(bus.device(function).bars().getFirst().address() + offset);
    }

    private static Command.Result succeeds(String... arguments) {
        Command.Result result = Command.runHere(arguments);
        assertThat(result.status()).as(Arrays.toString(arguments) + result).isZero();
        return result;
    }

    private static Map<String, Object> first(Command.Result result) throws IOException {
        return ((List<Map<String, Object>>) result.json().get("registers")).getFirst();
    }

    private static void fails(Command.Result result, String... says) {
        assertThat(result.errorLines())
                .as(result.toString())
                .singleElement()
                .asString()
                .startsWith("outboard: ")
                .contains(says);
        assertThat(result.out()).isEmpty();
        assertThat(result.status()).isEqualTo(1);
    }

    @Test
    void whatIsWrittenToPhysicalMemoryIsReadThroughSysfs() throws Exception {
        assertThat(succeeds("mem", "write", address(EDU, 4), "0x12345678", "--destroy")
                        .out())
                .startsWith("physical memory at " + address(EDU, 4) + " is PCI Bus 0000:00, " + EDU)
                .containsPattern("(?m)^wrote [0-9a-f]+  0x12345678$");
        assertThat(first(succeeds("reg", "read", "sysfs:" + EDU, "bar0", "4", "--json")))
                .containsEntry("value", "0xedcba987");
        Command.Result read = succeeds("mem", "read", address(EDU, 4), "--mask", "0xffff", "--json");
        assertThat(first(read)).containsEntry("value", "0x0000a987");
        assertThat((List<String>) read.json().get("owners")).contains(EDU);
        assertThat(succeeds("mem", "dump", address(EDU, 0), "--count", "2").out())
                .containsPattern("^[0-9a-f]{8}  010000ed edcba987 ");
        assertThat(succeeds("mem", "write", address(EDU, 4), "0", "--dry-run").out())
                .contains("would write");
        fails(
                Command.runHere("mem", "write", address(EDU, 4), "1", "--destroy", "--verify"),
                "reads 0xfffffffe after 0x00000001 was written");
    }

    @Test
    void whatTheKernelUsesIsKeptFromPrograms() throws Exception {
        KernelDriver.name();
        String nvme = address(KernelDriver.FIRST, 0);
        fails(Command.runHere("mem", "read", nvme), "EPERM", "(nvme)", "iomem=relaxed");
        fails(Command.runHere("mem", "write", nvme, "0", "--destroy"), "in use by the kernel", "(nvme)", "--force");
        fails(Command.runHere("reg", "read", "sysfs:" + KernelDriver.FIRST, "bar0", "0"), "EINVAL", "iomem=relaxed");
        fails(
                Command.runHere("reg", "write", "sysfs:" + KernelDriver.FIRST, "config", "4", "0", "--destroy"),
                "driven by the kernel's nvme",
                "outboard bind " + KernelDriver.FIRST + " sysfs");
        fails(Command.runHere("mem", "read", "0x100000"), "is RAM", "System RAM");
    }

    @Test
    void portsHaveTheirWidths() throws Exception {
        String scratch = address(SERIAL, 7);
        fails(Command.runHere("port", "write", scratch, "0x5a", "--destroy"), "in use by the kernel", "(serial)");
        assertThat(succeeds("port", "write", scratch, "0x5a", "--destroy", "--force", "--verify")
                        .out())
                .contains("serial")
                .containsPattern("(?m)^wrote 00[0-9a-f]+  0x5a$");
        assertThat(first(succeeds("port", "read", scratch, "--json"))).containsEntry("value", "0x5a");
        assertThat(first(succeeds("reg", "read", "sysfs:" + SERIAL, "bar0", "7", "--width", "8", "--json")))
                .containsEntry("value", "0x5a");
        // PCI 3.0, 3.2.2.3.2: edu's identification.
        succeeds("port", "write", "0xcf8", "0x80003000", "--width", "32", "--destroy", "--force");
        assertThat(first(succeeds("port", "read", "0xcfc", "--width", "32", "--json")))
                .containsEntry("value", "0x11e81234");
    }

    @Test
    void anOrdinaryUserIsToldWhatToDo() throws Exception {
        fails(asNobody("mem", "read", address(EDU, 0)), "/dev/mem", "use sudo");
        fails(asNobody("port", "read", "0x80"), "/dev/port", "use sudo");
        fails(asNobody("reg", "read", "sysfs:" + EDU, "bar0", "0"), "only root", "outboard bind " + EDU + " vfio");
        fails(asNobody("reg", "read", "sysfs:" + EDU, "config", "0x40"), "64 bytes", "use sudo");
    }

    private static Command.Result asNobody(String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"));
        command.addAll(Command.line(arguments));
        return Program.run(command);
    }

    @Test
    void whoHasTheDeviceHasItsAddresses() throws Exception {
        new DriverBinding(bus, EDU).bind(DriverBinding.VFIO_PCI);
        try (Command watch = Command.start("reg", "watch", "vfio:" + EDU, "bar0", "0")) {
            watch.await("0x010000ed");
            assertThat(succeeds("claims").out())
                    .containsPattern(
                            "(?m)^pci:" + EDU + " .* " + watch.process().pid() + " .*outboard reg watch$")
                    .containsPattern("(?m)^mem " + address(EDU, 0) + "-0x[0-9a-f]+ .*outboard reg watch$");
            fails(Command.runHere("mem", "read", address(EDU, 0)), "in use by outboard reg watch", "kill");
            watch.interrupt();
            assertThat(watch.end().err()).isEmpty();
        }
        assertThat(succeeds("claims", "--json").out().replaceAll("\\s", "")).isEqualTo("[]");
    }
}
