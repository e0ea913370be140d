package dev.outboard.cli;

import static dev.outboard.cli.Command.assertFails;
import static dev.outboard.cli.Command.assertWrongUsage;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.PciModel;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.linux.UnixServerSocket;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What users and devices do wrong: one clear line that says what to do, and exit status 1; wrong usage is 2. */
@Tag("emulated")
@Timeout(240)
class BadInputTest {
    /** More than a server takes to start. */
    private static final long BUSY_CPU_MILLIS = 2_000;

    @TempDir
    Path directory;

    private static Command.Result identify(String device) throws Exception {
        return Command.run("nvme", "identify", "--device", device);
    }

    @Test
    void noSuchSocket() throws Exception {
        assertFails(identify("vfio-user:/nowhere/nvme.sock"), "/nowhere/nvme.sock", "outboard emulate nvme --socket");
    }

    @Test
    void aSocketWhereNobodyListens() throws Exception {
        Path socket = directory.resolve("dead.sock");
        UnixServerSocket listener = UnixServerSocket.listen(socket);
        Path kept = Files.createLink(directory.resolve("kept.sock"), socket);
        listener.close();
        assertFails(identify("vfio-user:" + kept), "kept.sock", "start the device's server");
    }

    @Test
    void aFileThatIsNoSocket() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        assertFails(identify("vfio-user:" + file), file.toString());
    }

    @Test
    void aFileWhereASocketShallBeMade() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        assertFails(Command.run("emulate", "edu", "--socket", file.toString()), file.toString(), "no socket");
        assertThat(file).exists();
    }

    @Test
    void anotherDeviceThanTheDriverIsFor() throws Exception {
        assertFails(identify("model:edu"), "model:edu is no NVMe controller", "1234:11e8", "class 0108");
    }

    @Test
    void aDeviceThatIsNotThere() throws Exception {
        assertFails(identify("vfio:0000:ff:1f.7"), "0000:ff:1f.7", "outboard devices");
        assertFails(identify("pci:0000:ff:1f.7"), "0000:ff:1f.7", "outboard devices");
    }

    @Test
    void anAddressThatMakesNoSense() throws Exception {
        assertWrongUsage(
                identify("0000:03:00.0"), "no access path", "model, pci, qemu, replay, sysfs, vfio and vfio-user");
        assertWrongUsage(identify("nvme"), "no device address", "model:nvme");
        assertWrongUsage(identify("vfio:tomorrow"), "tomorrow");
        assertWrongUsage(identify("model:toaster"), "toaster", "nvme");
        assertWrongUsage(identify("model:nvme?colour=red"), "colour", "serial");
    }

    @Test
    void blocksPastTheEnd() throws Exception {
        String device = "model:nvme?size=1M";
        assertFails(Command.run("nvme", "read", "--device", device, "--lba", "2048"), "0 to 2047");
        assertFails(Command.run("nvme", "read", "--device", device, "--lba", "2047", "--blocks", "2"), "0 to 2047");
        assertWrongUsage(Command.run("nvme", "read", "--device", device, "--lba", "-1"), "--lba", "-1");
        assertFails(Command.run("nvme", "write", "--device", device, "--lba", "9223372036854775807"), "0 to 2047");
    }

    @Test
    void aNamespaceThatIsNotThere() throws Exception {
        assertWrongUsage(Command.run("nvme", "read", "--namespace", "9", "--lba", "0"), "no namespace 9", "[1]");
    }

    @Test
    void tooLittleToWrite() throws Exception {
        assertWrongUsage(
                Command.runWithInput(new byte[100], "nvme", "write", "--lba", "0"),
                "standard input has 100 bytes, the blocks take 512");
    }

    private static Command.Result shell(String script, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("sh", "-c", script, "sh"));
        command.addAll(Command.line(arguments));
        return Program.run(command);
    }

    @Test
    void standardOutputThatIsFull() throws Exception {
        String full = "standard output: No space left on device";
        String script = "LC_ALL=C \"$@\" >/dev/full";
        assertFails(shell(script, "nvme", "read", "--lba", "0", "--blocks", "8"), full);
        assertFails(shell(script, "nvme", "identify"), full);
        assertFails(shell(script, "nvme", "smart", "--json"), full);
        assertFails(shell(script, "nvme", "--help"), full);
    }

    @Test
    void standardOutputThatNobodyReadsOn() throws Exception {
        Command.Result result = shell("\"$@\" | head -c 1", "nvme", "read", "--lba", "0", "--blocks", "100000");
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).hasSize(1);
    }

    @Test
    void aFileThatIsNotThere() throws Exception {
        assertFails(Command.run("nvme", "write", "--lba", "0", "--file", "/nowhere/data"), "/nowhere/data");
    }

    @Test
    void wrongUsage() throws Exception {
        assertWrongUsage(Command.run("nvme", "read"), "--lba");
        assertWrongUsage(Command.run("nvme", "bench", "--block-size", "big"), "big", "4K");
        assertWrongUsage(Command.run("nvme", "bench", "--op", "dance"), "--op", "dance", "randread, ");
        assertWrongUsage(Command.run("nvme", "bench", "--shadow-doorbells", "maybe"), "maybe");
        assertWrongUsage(Command.run("nvme", "bench", "--queue-depth", "0"), "--queue-depth");
        assertWrongUsage(Command.run("nvme"), "which command");
        assertWrongUsage(Command.run("sing"), "sing");
        assertWrongUsage(Command.run("emulate", "nvme"), "--socket");
        assertWrongUsage(Command.run("emulate"), "which model", "nvme@/tmp/a.sock");
        assertWrongUsage(
                Command.run(
                        "emulate",
                        "virtio-blk",
                        "--socket",
                        directory.resolve("s").toString(),
                        "--in-band"),
                "--vhost-user");
        assertWrongUsage(Command.run("emulate", "nvme@"), "nvme@", "looks like");
        assertWrongUsage(Command.run("emulate", "toaster@" + directory.resolve("s")), "toaster", "nvme");
        assertWrongUsage(Command.run("trace", "/nowhere/recording", "--names", "toaster"), "toaster", "FILE.svd");
    }

    @Test
    void ofSeveralDevicesNoneListensIfOneCannot() throws Exception {
        Path socket = directory.resolve("a.sock");
        String first = "edu@" + socket;
        assertWrongUsage(Command.run("emulate", first, "bogus@" + directory.resolve("b.sock")), "bogus", "nvme");
        assertThat(socket).doesNotExist();
        assertFails(Command.run("emulate", first, "edu@/nowhere/b.sock"), "/nowhere/b.sock", "create the folder");
        assertThat(socket).doesNotExist();
        assertFails(Command.run("emulate", first, first), socket.toString());
        assertThat(socket).doesNotExist();
        assertFails(Command.run("emulate", "edu", "--socket", socket.toString(), "--cpu", "999"), "CPU 999");
    }

    @Test
    void aValueThatAModelInAProcessOfItsOwnRefuses() throws Exception {
        assertWrongUsage(
                Command.run("run", "idio16", "--device", "model:idio16?wiring=bad"),
                "model:idio16: ",
                "loopback or open");
    }

    @Test
    void aRecordingThatCannotBeWritten() throws Exception {
        String socket = directory.resolve("a.sock").toString();
        assertFails(
                Command.run("emulate", "edu", "--socket", socket, "--record", "/dev/full"),
                "the recording /dev/full is incomplete");
    }

    @Test
    void aPipeWhoseWriterWasKilled() throws Exception {
        Path pipe = directory.resolve("pipe");
        Program.succeeds("mkfifo", pipe.toString());
        try (Command trace = Command.start("trace", "--follow", pipe.toString())) {
            Files.writeString(pipe, "outboard-recording 1\ndevice model:edu\nvectors 1\n");
            assertFails(trace.end(), "ended without its end mark");
        }
        assertFails(Command.run("trace", "--follow", "/nowhere/recording"), "/nowhere/recording is no file");
    }

    @Test
    void tooDeepAQueueAndTooLargeARequest() throws Exception {
        assertWrongUsage(Command.run("nvme", "bench", "--queue-depth", "1000000"), "depth of 1 to");
        assertWrongUsage(Command.run("nvme", "bench", "--block-size", "513"), "513");
        assertWrongUsage(Command.run("nvme", "bench", "--block-size", "64M"), "transfers up to");
        assertFails(Command.run("nvme", "bench", "--cpu", "999"), "CPU 999", "allowed here");
    }

    @Test
    void aControllerThatNeverBecomesReady() throws Exception {
        Path socket = directory.resolve("nvme.sock");
        try (PciModel model = new NeverReady();
                VfioUserServer server = VfioUserServer.start(model, socket)) {
            assertFails(
                    identify("vfio-user:" + server.path()),
                    "did not become ready within 500 ms",
                    "reset or power-cycle it");
        }
    }

    @Test
    void aServerThatDiesInMidCommand() throws Exception {
        Path socket = directory.resolve("nvme.sock");
        try (Command server = Command.start("emulate", "nvme", "--socket", socket.toString())) {
            server.await("listening on");
            String device = "vfio-user:" + socket;
            try (Command bench = Command.start("nvme", "bench", "--device", device, "--seconds", "60")) {
                // It sleeps until there is an enabled controller to poll.
                while (server.cpuMillis() < BUSY_CPU_MILLIS) {
                    assertThat(bench.process().isAlive()).isTrue();
                    Thread.onSpinWait();
                }
                server.process().destroyForcibly().waitFor();
                assertFails(bench.end(), socket.toString());
            }
        }
    }

    /** A controller whose CSTS.RDY stays 0. */
    private static final class NeverReady extends PciModel implements RegisterAccess {
        private static final int BAR_BYTES = 0x4000;

        NeverReady() {
            super(new Identity(0x1b36, 0x0010, 0x010802, 0, 0, 0), false, 1);
            addBar(Bar.of(0, BAR_BYTES, this));
        }

        @Override
        public long read(long offset, int widthBytes) {
            long capabilities =
                    NvmeRegisters.CAP_MQES.of(63) | NvmeRegisters.CAP_TO.of(1) | NvmeRegisters.CAP_CSS.of(1);
            return offset == NvmeRegisters.CAP.offset() ? capabilities : 0;
        }

        @Override
        public void write(long offset, int widthBytes, long value) {}

        @Override
        protected void resetFunction() {}
    }
}
