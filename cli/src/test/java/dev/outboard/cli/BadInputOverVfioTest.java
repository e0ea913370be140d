package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.pci.DriverBinding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** What a user can do wrong ends with status 1 and one line that says what to do, and leaves everything as it was. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "formats PCI function 00:04.0")
class BadInputOverVfioTest {
    private static final String DEVICE = "vfio:" + KernelDriver.FIRST;
    private static final Path OVERRIDE = Path.of("/sys/bus/pci/devices", KernelDriver.FIRST, "driver_override");
    private static final int NOBODY = 65534;

    @AfterEach
    void giveBack() throws IOException {
        KernelDriver.binding().release();
    }

    private static void fails(Command.Result result, String... sayings) {
        assertThat(result.status()).as(result.toString()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err().lines()).as(result.err()).hasSize(1);
        assertThat(result.err()).startsWith("outboard: ").contains(sayings);
    }

    /** Runs a command that must fail and change nothing. */
    private static void isRefused(List<String> command, String... sayings) throws Exception {
        String driver = KernelDriver.binding().driver();
        String override = Files.readString(OVERRIDE);
        fails(Program.run(command), sayings);
        assertThat(KernelDriver.binding().driver()).isEqualTo(driver);
        assertThat(Files.readString(OVERRIDE)).isEqualTo(override);
    }

    @Test
    void aDeviceThatIsNotThere() throws Exception {
        isRefused(
                Command.line("nvme", "identify", "--device", "vfio:0000:ff:00.0"),
                "there is no PCI function 0000:ff:00.0",
                "outboard devices");
    }

    @Test
    void aDeviceOfTheKernelsDriver() throws Exception {
        KernelDriver.name();
        isRefused(
                Command.line("nvme", "identify", "--device", DEVICE),
                "driven by the kernel's nvme",
                "outboard bind " + KernelDriver.FIRST + " vfio");
    }

    @Test
    void aNamespaceThatIsMounted(@TempDir Path mountPoint) throws Exception {
        String node = "/dev/" + KernelDriver.name() + "n1";
        Program.succeeds("mkfs.ext4", "-q", "-F", node);
        Program.succeeds("mount", "-t", "ext4", node, mountPoint.toString());
        try {
            String advice = "umount " + mountPoint;
            isRefused(Command.line("bind", KernelDriver.FIRST, "vfio"), "mounted at " + mountPoint, advice);
            isRefused(Command.line("nvme", "read", "--lba", "0", "--device", DEVICE), "mounted at", advice);
            isRefused(
                    Command.line(
                            "nvme",
                            "write",
                            "--destroy",
                            "--lba",
                            "0",
                            "--file",
                            "/dev/zero",
                            "--device",
                            "pci:" + KernelDriver.FIRST),
                    "mounted at",
                    advice);
            Files.writeString(mountPoint.resolve("file"), "still there");
        } finally {
            Program.succeeds("umount", mountPoint.toString());
        }
    }

    @Test
    void aBlockPastTheEnd() throws Exception {
        KernelDriver.binding().bind(DriverBinding.VFIO_PCI);
        isRefused(
                Command.line("nvme", "read", "--lba", "131072", "--device", DEVICE),
                "--lba 131072",
                "its blocks are 0 to 131071");
    }

    @Test
    void writingWithoutDestroy() throws Exception {
        KernelDriver.binding().bind(DriverBinding.VFIO_PCI);
        isRefused(
                Command.line("nvme", "write", "--lba", "0", "--file", "/dev/zero", "--device", DEVICE),
                "would lose block 0 of the first namespace on " + DEVICE,
                "--destroy");
    }

    @Test
    void noPermission() throws Exception {
        KernelDriver.binding().bind(DriverBinding.VFIO_PCI);
        List<String> command =
                new ArrayList<>(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"));
        command.addAll(Command.line("nvme", "identify", "--device", DEVICE));
        isRefused(command, "/dev/vfio/", "chown", "udev");
    }
}
