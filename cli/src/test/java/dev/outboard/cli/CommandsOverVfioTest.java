package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.nvme.Nvme;
import dev.outboard.nvme.NvmeBlockDevice;
import dev.outboard.nvme.NvmeController;
import dev.outboard.pci.DriverBinding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** The commands on a controller that vfio-pci has. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI function 00:04.0")
class CommandsOverVfioTest {
    private static final String DEVICE = "vfio:" + KernelDriver.FIRST;
    private static final int BLOCK_BYTES = 512;

    @AfterAll
    static void giveBack() throws IOException {
        KernelDriver.binding().release();
    }

    /** bind, write, unbind; then the kernel's driver reads. The other way round: the kernel writes; bind, read. */
    @Test
    void theKernelReadsWhatTheCommandWroteAndTheOtherWayRound(@TempDir Path folder) throws Exception {
        byte[] bytes = new byte[2049 * BLOCK_BYTES];
        new Random(1).nextBytes(bytes);
        Path file = Files.write(folder.resolve("pattern"), bytes);
        succeeds("bind", KernelDriver.FIRST, "vfio");
        succeeds(
                "nvme",
                "write",
                "--destroy",
                "--lba",
                "4711",
                "--blocks",
                "2049",
                "--file",
                file.toString(),
                "--device",
                DEVICE);
        assertThat(succeeds("unbind", KernelDriver.FIRST).out()).contains("vfio-pci -> nvme");
        String node = "/dev/" + KernelDriver.name() + "n1";
        Path read = folder.resolve("read");
        dd("if=" + node, "of=" + read, "skip=" + 4711 * BLOCK_BYTES, "iflag=direct,skip_bytes");
        assertThat(Files.mismatch(read, file)).isEqualTo(-1);

        new Random(2).nextBytes(bytes);
        Files.write(file, bytes);
        dd("if=" + file, "of=" + node, "seek=" + 8191 * BLOCK_BYTES, "oflag=direct,seek_bytes");
        KernelDriver.binding().bind(DriverBinding.VFIO_PCI);
        succeeds(
                "nvme",
                "read",
                "--lba",
                "8191",
                "--blocks",
                "2049",
                "--file",
                read.toString(),
                "--device",
                "pci:" + KernelDriver.FIRST);
        assertThat(Files.mismatch(read, file)).isEqualTo(-1);
    }

    private static void dd(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("dd", "bs=" + 2049 * BLOCK_BYTES, "count=1"));
        command.addAll(List.of(arguments));
        Program.succeeds(command.toArray(String[]::new));
    }

    private static Command.Result succeeds(String... arguments) throws Exception {
        Command.Result result = Command.run(arguments);
        assertThat(result.status()).as(result.err()).isZero();
        return result;
    }

    @Test
    void benchPrintsAllItsFieldsAndNoErrors() throws Exception {
        KernelDriver.binding().bind(DriverBinding.VFIO_PCI);
        Map<String, Object> json = succeeds(
                        "nvme",
                        "bench",
                        "--op",
                        "randread",
                        "--block-size",
                        "4K",
                        "--queue-depth",
                        "32",
                        "--seconds",
                        "1",
                        "--warmup",
                        "0.5",
                        "--device",
                        DEVICE,
                        "--json")
                .json();
        assertThat(json.keySet())
                .containsExactlyInAnyOrder(
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
        assertThat(json)
                .containsEntry("device", DEVICE)
                .containsEntry("op", "randread")
                .containsEntry("blockSize", 4096)
                .containsEntry("queueDepth", 32)
                .containsEntry("errors", 0);
        assertThat(((Number) json.get("iops")).doubleValue()).isPositive();
        assertThat(((Map<?, ?>) json.get("latencyMicros")).keySet().stream().map(String::valueOf))
                .containsExactlyInAnyOrder("mean", "p50", "p90", "p99", "p999", "p9999", "max");
    }

    @Test
    void ctrlCEndsRunAndTheDeviceIsUsable() throws Exception {
        KernelDriver.binding().bind(DriverBinding.VFIO_PCI);
        try (Command command = Command.start("run", "nvme", "--device", DEVICE)) {
            // The heading of the measurements: it is at work.
            command.await("IOPS");
            command.interrupt();
            Command.Result result = command.end();
            assertThat(result.err()).isEmpty();
            assertThat(command.process().descendants()).isEmpty();
        }
        try (NvmeController controller = Nvme.open(DEVICE);
                NvmeBlockDevice disk =
                        new NvmeBlockDevice(controller, controller.namespaces().getFirst(), Waiting.POLL);
                DmaMemory buffer = disk.allocate(4096)) {
            disk.read(0, buffer);
        }
        // Refused if a process still had the device.
        assertThat(KernelDriver.binding().release()).isEqualTo("nvme");
    }
}
