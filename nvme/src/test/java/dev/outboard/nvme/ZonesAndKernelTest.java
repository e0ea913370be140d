package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** Zones of QEMU's controller, with the kernel's block layer as the witness. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI function 00:1c.0")
class ZonesAndKernelTest {
    private static final int ZONED = 6;
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int BLOCK = 512;
    private static final int ZONE = (1 << 20) / BLOCK;
    private static final int BYTES = 64 << 10;
    private static final int BLOCKS = BYTES / BLOCK;

    @AfterAll
    static void giveBack() throws IOException {
        RigController.release();
    }

    private static byte[] pattern(long seed) {
        byte[] bytes = new byte[BYTES];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void theKernelSeesZonesAsTheyWereLeftAndReadsWhatIsInThem() throws Exception {
        try (NvmeController controller = RigController.open();
                ZonedNamespace zoned = new ZonedNamespace(controller, controller.namespace(ZONED), Waiting.INTERRUPT);
                DmaMemory buffer = controller.dma().allocate(BYTES)) {
            zoned.resetAll();
            for (int zone = 1; zone <= 2; zone++) {
                buffer.segment().copyFrom(MemorySegment.ofArray(pattern(zone)));
                assertThat(zoned.append((long) zone * ZONE, buffer)).isEqualTo((long) zone * ZONE);
            }
            zoned.finish(ZONE);
        }
        Path node = KernelBlockDevice.of(RigController.ADDRESS, ZONED);
        String[] zones = Program.run("blkzone", "report", node.toString()).split("\n", -1);
        // A shutdown closes what is open.
        assertThat(zones[0]).contains("(em)");
        assertThat(zones[1]).contains("start: 0x%09x".formatted(ZONE), "(fu)");
        assertThat(zones[2]).contains("start: 0x%09x".formatted(2 * ZONE), "wptr 0x%06x".formatted(BLOCKS), "(cl)");
        for (int zone = 1; zone <= 2; zone++) {
            assertThat(KernelBlockDevice.read(node, (long) zone * ZONE * BLOCK, BYTES))
                    .isEqualTo(pattern(zone));
        }
    }

    @Test
    void zonesAreAsTheKernelLeftThemAndHaveWhatItWrote(@TempDir Path directory) throws Exception {
        Path node = KernelBlockDevice.of(RigController.ADDRESS, ZONED);
        Program.run("blkzone", "reset", node.toString());
        Path file = Files.write(directory.resolve("pattern"), pattern(3));
        for (int zone : new int[] {4, 5}) {
            Program.run(
                    "dd",
                    "if=" + file,
                    "of=" + node,
                    "bs=" + BYTES,
                    "seek=" + zone * ZONE * BLOCK,
                    "oflag=direct,seek_bytes",
                    "conv=notrunc");
        }
        Program.run("blkzone", "finish", "--offset", String.valueOf(5 * ZONE), "--count", "1", node.toString());
        try (NvmeController controller = RigController.open();
                QueuePair queue = controller.createQueuePair(1);
                ZonedNamespace zoned = new ZonedNamespace(controller, controller.namespace(ZONED), Waiting.POLL);
                DmaMemory buffer = controller.dma().allocate(BYTES)) {
            assertThat(zoned.report())
                    .filteredOn(zone -> zone.state() != ZoneState.EMPTY)
                    .extracting(ZoneDescriptor::firstBlock, ZoneDescriptor::state, ZoneDescriptor::writePointer)
                    .containsExactly(
                            tuple(4L * ZONE, ZoneState.CLOSED, 4L * ZONE + BLOCKS),
                            tuple(5L * ZONE, ZoneState.FULL, -1L));
            queue.read(controller.namespace(ZONED), 4L * ZONE, buffer).await(SOON);
            assertThat(buffer.segment().mismatch(MemorySegment.ofArray(pattern(3))))
                    .isEqualTo(-1);
        }
    }
}
