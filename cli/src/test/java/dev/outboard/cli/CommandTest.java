package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.outboard.memory.Claim;
import dev.outboard.pci.PciBus;
import dev.outboard.pci.PciDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands, as users run them: on the emulated device that they start themselves, and on one that is served. */
@Tag("emulated")
@Timeout(240)
@SuppressWarnings("unchecked")
class CommandTest {
    @TempDir
    Path directory;

    private static List<Path> socketDirectories() throws IOException {
        try (Stream<Path> files = Files.list(Command.TEMPORARY)) {
            return files.toList();
        }
    }

    private static void assertEnded(List<ProcessHandle> processes) {
        for (ProcessHandle handle : processes) {
            handle.onExit().orTimeout(30, TimeUnit.SECONDS).join();
        }
    }

    @Test
    void identifySpeaksWithTheNamesOfNvmeCli() throws Exception {
        Map<String, Object> json = Command.run("nvme", "identify", "--json").json();
        assertThat(json)
                .containsEntry("mn", "Outboard Emulated NVMe")
                .containsKeys(
                        "vid", "ssvid", "sn", "fr", "mdts", "cntlid", "ver", "oacs", "sqes", "cqes", "nn", "subnqn");
        assertThat((List<?>) json.get("namespaces"))
                .singleElement()
                .satisfies(namespace -> assertThat((Map<Object, Object>) namespace)
                        .containsKeys(
                                "nsid", "nsze", "ncap", "nuse", "flbas", "lbafs", "nguid", "eui64", "elbafs", "lbstm"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "32"})
    void benchAllocatesNothingForARequest(String depth) throws Exception {
        Command.Result result = Command.run(
                "nvme",
                "bench",
                "--op",
                "randread",
                "--block-size",
                "4K",
                "--queue-depth",
                depth,
                "--seconds",
                "2",
                "--warmup",
                "4",
                "--json");
        Map<String, Object> json = result.json();
        assertThat(json.keySet())
                .containsExactly(
                        "device",
                        "op",
                        "blockSize",
                        "queueDepth",
                        "readPercent",
                        "jobs",
                        "span",
                        "rate",
                        "seconds",
                        "iops",
                        "mibPerSecond",
                        "latencyMicros",
                        "histogram",
                        "operations",
                        "verified",
                        "mismatches",
                        "errors",
                        "allocatedBytesPerOp");
        assertThat((Map<Object, Object>) json.get("latencyMicros"))
                .containsOnlyKeys("mean", "p50", "p90", "p99", "p999", "p9999", "max");
        assertThat(json)
                .containsEntry("device", "model:nvme")
                .containsEntry("op", "randread")
                .containsEntry("blockSize", 4096)
                .containsEntry("queueDepth", Integer.valueOf(depth))
                .containsEntry("errors", 0);
        assertThat(((Number) json.get("iops")).longValue()).isPositive();
        assertThat(((Number) json.get("allocatedBytesPerOp")).doubleValue()).isLessThan(0.5);
        assertThat(result.status()).isZero();
    }

    @Test
    void whatIsWrittenToAServedDeviceIsReadFromIt() throws Exception {
        Path socket = directory.resolve("nvme.sock");
        String device = "vfio-user:" + socket;
        byte[] data = "Outboard was here. ".repeat(54).substring(0, 1024).getBytes(StandardCharsets.UTF_8);
        Path file = Files.write(directory.resolve("in"), data);
        Path out = directory.resolve("out");
        try (Command server =
                Command.start("emulate", "nvme", "--socket", socket.toString(), "--size", "16M", "--serial", "S4711")) {
            server.await("listening on");
            assertThat(Command.run("nvme", "identify", "--json", "--device", device)
                            .json())
                    .containsEntry("sn", "S4711");

            Command.Result careful = Command.run(
                    "nvme", "write", "--device", device, "--lba", "7", "--blocks", "2", "--file", file.toString());
            assertThat(careful.status()).isEqualTo(1);
            assertThat(careful.errorLines()).singleElement().asString().contains("add --destroy");

            assertThat(Command.run(
                                    "nvme",
                                    "write",
                                    "--device",
                                    device,
                                    "--lba",
                                    "7",
                                    "--blocks",
                                    "2",
                                    "--file",
                                    file.toString(),
                                    "--destroy")
                            .status())
                    .isZero();
            assertThat(Command.run(
                                    "nvme",
                                    "read",
                                    "--device",
                                    device,
                                    "--lba",
                                    "7",
                                    "--blocks",
                                    "2",
                                    "--file",
                                    out.toString())
                            .status())
                    .isZero();
            assertThat(out).hasBinaryContent(data);
            assertThat(Command.run("nvme", "read", "--device", device, "--lba", "7", "--blocks", "2")
                            .out())
                    .isEqualTo(new String(data, StandardCharsets.UTF_8));
            assertThat(Command.runWithInput(
                                    data,
                                    "nvme",
                                    "write",
                                    "--device",
                                    device,
                                    "--lba",
                                    "100",
                                    "--blocks",
                                    "2",
                                    "--destroy",
                                    "--json")
                            .json())
                    .containsEntry("bytes", 1024);
            assertThat(Command.run("nvme", "read", "--device", device, "--lba", "101", "--json")
                            .json())
                    .containsEntry("data", HexFormat.of().formatHex(data, 512, 1024));

            server.interrupt();
            assertThat(server.end().err()).isEmpty();
        }
        assertThat(socket).doesNotExist();
    }

    @Test
    void aDeviceThatACommandHasIsRefusedByNameAndFreeWhenItIsKilled() throws Exception {
        Path socket = directory.resolve("nvme.sock");
        String device = "vfio-user:" + socket;
        try (Command server = Command.start("emulate", "nvme", "--socket", socket.toString(), "--size", "16M")) {
            server.await("listening on");
            try (Command run = Command.start("run", "nvme", "--device", device)) {
                run.await("serial number");
                Command.Result second = Command.run("nvme", "identify", "--device", device);
                assertThat(second.status()).isEqualTo(1);
                assertThat(second.errorLines())
                        .singleElement()
                        .asString()
                        .contains(device + " is in use by outboard run nvme (process "
                                + run.process().pid())
                        .contains("kill " + run.process().pid());
                run.process().destroyForcibly().waitFor();
            }
            assertThat(Command.run("nvme", "identify", "--device", device).status())
                    .isZero();
        }
    }

    @Test
    void devicesShowsWhoHasThem() throws Exception {
        List<PciDevice> devices = PciBus.system().devices();
        assumeFalse(devices.isEmpty(), "this machine has no PCI devices");
        String address = devices.getFirst().address();
        // Not all of it, and somewhere else each time: other tests may run on this machine.
        long offset = ThreadLocalRandom.current().nextLong(1L << 40);
        try (Claim claim = PciBus.system().claimRegisters(address, 5, offset, 1)) {
            long pid = ProcessHandle.current().pid();
            Command.Result text = Command.run("devices");
            assertThat(text.out().lines().findFirst().orElseThrow()).contains("CLAIM");
            assertThat(text.out().lines().filter(line -> line.startsWith("pci:" + address)))
                    .singleElement()
                    .asString()
                    .contains(claim.owner().name() + " (" + pid + ")");
            assertThat(JSON.std.listFrom(Command.run("devices", "--json").out()))
                    .filteredOn(
                            each -> ((Map<String, Object>) each).get("address").equals("pci:" + address))
                    .singleElement()
                    .satisfies(each -> assertThat((Map<String, Object>) ((Map<String, Object>) each).get("claim"))
                            .containsEntry("owner", claim.owner().name())
                            .containsEntry("user", claim.owner().user())
                            .containsEntry("since", claim.owner().since().toString())
                            .hasEntrySatisfying(
                                    "pid",
                                    value -> assertThat(((Number) value).longValue())
                                            .isEqualTo(pid)));
        }
    }

    @Test
    void runVerifiesMeasuresAndLeavesNothingBehindAfterCtrlC() throws Exception {
        List<Path> before = socketDirectories();
        try (Command run = Command.start("run", "nvme")) {
            run.await("Outboard Emulated NVMe");
            run.await("wrote, read back and verified: 64M");
            run.await("randread");
            run.await("is up; Ctrl-C ends it");
            List<ProcessHandle> children = run.process().descendants().toList();
            assertThat(children).isNotEmpty();
            run.interrupt();
            assertThat(run.end().err()).isEmpty();
            assertEnded(children);
        }
        assertThat(socketDirectories()).containsExactlyInAnyOrderElementsOf(before);
    }

    @ParameterizedTest
    @CsvSource({
        "edu, '12!             479001600', 'DMA             verified, 16384 bytes'",
        "serial, 'port 0 to 1     verified, 2048 bytes', 'port 1 to 0     verified, 2048 bytes'",
        "idio16, 'inputs          0x0000', 'edges           verified, 32 of inputs'",
        "ivshmem, 'vectors         4, each rung and heard', 'memory          verified, 1048576 bytes'"
    })
    void runShowsADriverThatTeachesAndEndsAtCtrlC(String driver, String shown, String then) throws Exception {
        List<Path> before = socketDirectories();
        try (Command run = Command.start("run", driver)) {
            run.await("model:" + driver);
            run.await(shown);
            run.await(then);
            run.await("model:" + driver + " is up; Ctrl-C ends it");
            List<ProcessHandle> children = run.process().descendants().toList();
            assertThat(children).isNotEmpty();
            run.interrupt();
            assertThat(run.end().err()).isEmpty();
            assertEnded(children);
        }
        assertThat(socketDirectories()).containsExactlyInAnyOrderElementsOf(before);
    }

    @Test
    void runOnADeviceOfAnotherKindSaysSo() throws Exception {
        Command.Result result = Command.run("run", "edu", "--device", "model:serial");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.errorLines())
                .singleElement()
                .asString()
                .contains("model:serial is no edu device: its ids are 1b36:0003, 1234:11e8 is expected");
    }

    @Test
    void aDumpOfASerialPortTakesNoCharacter() throws Exception {
        assertThat(Command.run("reg", "dump", "model:serial", "bar0", "--names", "16550", "--base", "8")
                        .out()
                        .lines())
                .anyMatch(line -> line.matches("000008  RBR +not read: read-has-effect"))
                .anyMatch(line -> line.matches("00000d  LSR +not read: some of its fields are changed by reading"))
                .anyMatch(line -> line.matches("00000b  LCR +0x00 .*"));
    }

    @Test
    void ctrlCInTheMiddleOfTheWorkLeavesNothingBehindEither() throws Exception {
        List<Path> before = socketDirectories();
        try (Command run = Command.start("run", "nvme")) {
            run.await("serial number");
            List<ProcessHandle> children = run.process().descendants().toList();
            run.interrupt();
            Command.Result result = run.end();
            assertThat(result.err()).isEmpty();
            assertThat(result.out()).doesNotContain("verified: 0");
            assertEnded(children);
        }
        assertThat(socketDirectories()).containsExactlyInAnyOrderElementsOf(before);
    }

    @Test
    void writeHoldsNoDeviceWhileItWaitsForInputAndEndsAtOnceAtCtrlC() throws Exception {
        try (Command write = Command.start("nvme", "write", "--lba", "0")) {
            // Longer than it takes to the first read; a model would be a process by then.
            assertThat(write.process().waitFor(2, TimeUnit.SECONDS)).isFalse();
            assertThat(write.process().descendants()).isEmpty();
            write.interrupt();
            assertThat(write.process().waitFor(4, TimeUnit.SECONDS)).isTrue();
            assertThat(write.end().err()).isEmpty();
        }
    }

    @Test
    void theEmulatedDeviceEndsWithACommandThatWasKilled() throws Exception {
        List<Path> before = socketDirectories();
        try (Command run = Command.start("run", "nvme")) {
            run.await("serial number");
            List<ProcessHandle> children = run.process().descendants().toList();
            assertThat(children).isNotEmpty();
            run.process().destroyForcibly().waitFor();
            assertEnded(children);
        }
        assertThat(socketDirectories()).containsExactlyInAnyOrderElementsOf(before);
    }
}
