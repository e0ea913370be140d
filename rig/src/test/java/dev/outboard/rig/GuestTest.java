package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("rig")
class GuestTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    private static Path results;

    private static Guest guest;

    @BeforeAll
    static void boot() throws IOException {
        guest = QemuMachine.with(Initramfs.of(KernelPackage.obtain()))
                .share(results)
                .build()
                .boot(Duration.ofMinutes(2));
    }

    @AfterAll
    static void close() throws IOException {
        guest.close();
        guest.close();
        assertThat(guest.directory()).doesNotExist();
        assertThat(ProcessHandle.of(guest.pid()).filter(ProcessHandle::isAlive)).isEmpty();
    }

    @Test
    void outputsAndExitStatusReachTheHost() throws IOException {
        GuestResult result = guest.run(GuestCommand.script("echo out; echo err >&2; exit 3"), LIMIT);
        assertThat(result).isEqualTo(new GuestResult(3, "out\n", "err\n"));
        assertThat(guest.run(GuestCommand.of("nosuchprogram"), LIMIT).status()).isEqualTo(127);
        assertThat(guest.run(GuestCommand.script("kill -9 $$"), LIMIT).status()).isEqualTo(137);
    }

    @Test
    void allOfALongOutputArrivesBeforeTheStatus() throws IOException {
        GuestResult result = guest.run(GuestCommand.of("seq", "300000"), LIMIT);
        assertThat(result.out()).hasSize(1_988_895).endsWith("\n300000\n");
    }

    @Test
    void filesOfASharedFolderAreTheHostsAndAllOthersAreNot() throws IOException {
        Path lost = results.resolveSibling("lost-" + results.getFileName());
        guest.run(
                GuestCommand.of("sh", "-c", "echo kept >$0/report; echo lost >$1", results.toString(), lost.toString()),
                LIMIT);
        assertThat(results.resolve("report")).hasContent("kept");
        assertThat(lost).doesNotExist();
    }

    @Test
    void theJdkOfThisJvmRunsInTheGuest() throws IOException {
        GuestResult result = guest.run(GuestCommand.of("java", "-version"), LIMIT);
        assertThat(result.err()).contains(System.getProperty("java.version"));
    }

    @Test
    void anNvmeControllerCanBeGivenToVfio() throws IOException {
        GuestResult result = guest.run(GuestCommand.script("""
                        set -e
                        cd /sys/bus/pci/devices/%1$s
                        echo vfio-pci >driver_override
                        echo %1$s >driver/unbind
                        echo %1$s >/sys/bus/pci/drivers_probe
                        test -c /dev/vfio/$(basename $(readlink iommu_group))
                        basename $(readlink driver)
                        """.formatted(TestDevices.NVME0)), LIMIT);
        assertThat(result).isEqualTo(new GuestResult(0, "vfio-pci\n", ""));
    }

    @Test
    void theTwoSerialPortsAreWiredToEachOther() throws IOException {
        GuestResult result = guest.run(GuestCommand.script("""
                        set -- $(ls -d /sys/bus/pci/devices/%s/*/*/tty/* /sys/bus/pci/devices/%1$s/tty/* 2>/dev/null)
                        a=/dev/${1##*/}; b=/dev/${2##*/}
                        # A port that nobody has open drops what arrives.
                        exec 3<$b 4>$a
                        stty -F $a raw -echo; stty -F $b raw -echo
                        echo over the wire >&4
                        timeout 20 head -n 1 <&3
                        """.formatted(TestDevices.SERIAL)), LIMIT);
        assertThat(result.out()).isEqualTo("over the wire\n");
    }

    @Test
    void theTraceHasTheAccessesMadeWhileItWasOnAndNoOthers() throws IOException {
        // The kernel numbers the controllers as they get ready.
        GuestResult result = guest.run(GuestCommand.script("""
                        set -e
                        controller=$(basename /sys/bus/pci/devices/%s/nvme/nvme*)
                        read_a_block() {
                            dd if=/dev/${controller}n1 of=/dev/null bs=4k count=1 iflag=direct status=none
                        }
                        read_a_block
                        outboard-trace on
                        read_a_block
                        outboard-trace off
                        read_a_block
                        """.formatted(TestDevices.NVME1)), LIMIT);
        assertThat(result.status()).as(result.err()).isZero();
        // A read of NVMe takes a write to the doorbell of the submission queue and one to that of the completion queue.
        assertThat(MmioTrace.read(guest.traceFile(), "nvme").accesses())
                .hasSize(2)
                .allMatch(access -> access.kind() == MmioAccess.Kind.WRITE && access.sizeBytes() == 4);
    }

    @Test
    void theGuestCanAskQemuAndIsToldWhatQemuRefuses() throws IOException {
        GuestResult result = guest.run(GuestCommand.of("outboard-monitor", "{\"execute\": \"query-status\"}"), LIMIT);
        assertThat(result.status()).isZero();
        assertThat(result.out()).contains("\"status\": \"running\"");
        result = guest.run(GuestCommand.of("outboard-monitor", "{\"execute\": \"nosuchcommand\"}"), LIMIT);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("The command nosuchcommand has not been found");
    }

    @Test
    void aDeviceCanBePluggedIn() throws IOException {
        guest.monitor()
                .execute(
                        "{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"edu\", \"id\": \"edu2\", \"bus\": \"slot0\"}}");
        GuestResult result = guest.run(
                GuestCommand.script("until ls /sys/bus/pci/devices/%s/*/vendor 2>/dev/null; do sleep 0.1; done"
                        .formatted(TestDevices.SLOT)),
                LIMIT);
        assertThat(result.status()).isZero();
    }

    @Test
    void aCommandThatMissesItsDeadlineEndsTheGuest() throws IOException {
        Path console = results.resolve("console.log");
        try (Guest another = QemuMachine.with(Initramfs.of(KernelPackage.obtain()))
                .modules(List.of())
                .console(console)
                .build()
                .boot(Duration.ofMinutes(2))) {
            GuestCommand command = GuestCommand.script("echo last words >/dev/console; exec sleep 1000");
            assertThatThrownBy(() -> another.run(command, Duration.ofSeconds(3)))
                    .isInstanceOf(GuestTimeoutException.class)
                    .hasMessageContaining("last words");
            assertThat(another.directory()).doesNotExist();
            assertThat(Files.readString(console)).contains("last words");
            assertThatThrownBy(() -> another.run(command, LIMIT)).isInstanceOf(IOException.class);
        }
    }
}
