package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.memory.DmaMemory;
import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciBus;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** A controller is pulled out of a guest's slot, or taken out of its kernel, while it is busy over VFIO. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "plugs a controller in and out, behind PCI function 00:09.0")
class NvmeRemovalOverVfioTest extends NvmeRemovalContract {
    private static final Path SLOT = Path.of("/sys/bus/pci/devices/0000:00:09.0");
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final PciBus BUS = PciBus.system();

    @AfterEach
    void pullOut() throws Exception {
        if (plugged().isPresent()) {
            new DriverBinding(BUS, plugged().get()).release();
            Program.run("outboard-monitor", "{\"execute\": \"device_del\", \"arguments\": {\"id\": \"plugged\"}}");
            await(false);
        }
    }

    /** Plugs a controller in, and gives it to VFIO. */
    private static String plugIn() throws Exception {
        Program.run(
                "outboard-monitor",
                "{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"nvme\", \"id\": \"plugged\","
                        + " \"serial\": \"OUTBOARD-4\", \"drive\": \"plugged\", \"bus\": \"slot0\"}}");
        await(true);
        String address = plugged().orElseThrow();
        new DriverBinding(BUS, address).bind(DriverBinding.VFIO_PCI);
        return address;
    }

    private static Optional<String> plugged() throws IOException {
        try (DirectoryStream<Path> functions = Files.newDirectoryStream(SLOT, "0000:*:00.0")) {
            for (Path function : functions) {
                return Optional.of(function.getFileName().toString());
            }
        }
        return Optional.empty();
    }

    /** A function that was just found is in sysfs before its attributes are; its driver is the last to come. */
    private static boolean hasDriver() throws IOException {
        return plugged()
                .map(address -> Files.exists(SLOT.resolve(address).resolve("driver")))
                .orElse(false);
    }

    /** The kernel tells nobody here. */
    private static void await(boolean there) throws Exception {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (there ? !hasDriver() : plugged().isPresent()) {
            assertThat(System.nanoTime()).as("deadline").isLessThan(deadline);
            Thread.sleep(50);
        }
    }

    private static void assertNothingIsHeld() throws Exception {
        await(false);
        assertThat(BUS.claims()).isEmpty();
    }

    @Test
    void aControllerThatIsPulledOutIsNoticedAndLetGo() throws Exception {
        String address = plugIn();
        // The kernel is told, and asks who has it; the slot's power goes when that one has closed it.
        assertNoticed(
                Nvme.open("vfio:" + address),
                () -> Program.run(
                        "outboard-monitor", "{\"execute\": \"device_del\", \"arguments\": {\"id\": \"plugged\"}}"));
        assertNothingIsHeld();
    }

    @Test
    void aControllerThatTheKernelRemovesIsNoticedAndComesBack() throws Exception {
        String address = plugIn();
        Path remove = SLOT.resolve(address).resolve("remove");
        Process[] removing = new Process[1];
        // It waits until the controller is closed.
        assertNoticed(
                Nvme.open("vfio:" + address),
                () -> removing[0] = new ProcessBuilder("sh", "-c", "echo 1 >" + remove)
                        .inheritIO()
                        .start());
        assertThat(removing[0].waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertNothingIsHeld();
        Program.run("sh", "-c", "echo 1 >/sys/bus/pci/rescan");
        await(true);
        new DriverBinding(BUS, address).bind(DriverBinding.VFIO_PCI);
        try (NvmeController controller = Nvme.open("vfio:" + address)) {
            assertThat(controller.identity().serialNumber()).isEqualTo("OUTBOARD-4");
        }
    }

    /** Nobody is told: that commands do not end is all there is to see. */
    @Test
    void aControllerWhoseMemoryIsSwitchedOffIsBroughtBackByAReset() throws Exception {
        String address = plugIn();
        NvmeSettings settings = NvmeSettings.DEFAULT.withCommandTimeout(Duration.ofSeconds(1));
        try (NvmeController controller = Nvme.open(Pci.open("vfio:" + address), settings);
                QueuePair queue = controller.createQueuePair(1)) {
            readBlock(controller, queue);
            try (RandomAccessFile configuration =
                    new RandomAccessFile(SLOT.resolve(address).resolve("config").toFile(), "rw")) {
                configuration.seek(PciConfiguration.COMMAND.offset());
                configuration.write(0);
            }
            assertThatThrownBy(() -> readBlock(controller, queue))
                    .isInstanceOfSatisfying(
                            NvmeException.class,
                            e -> assertThat(Status.code(e.status())).isEqualTo(Status.ABORTED_BY_HOST));
            readBlock(controller, queue);
        }
    }

    private static void readBlock(NvmeController controller, QueuePair queue) throws IOException {
        NvmeNamespace namespace = controller.namespaces().getFirst();
        DmaMemory buffer = controller.dma().allocate(namespace.blockSizeBytes());
        queue.read(namespace, 0, buffer).await(LIMIT);
    }
}
