package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.pci.DriverBinding;
import dev.outboard.pci.PciBus;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The driver on QEMU's controllers over VFIO, with the kernel's own driver as the witness. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI functions 00:04.0, 00:05.0")
class NvmeAndKernelTest {
    private static final String FIRST = "0000:00:04.0";
    private static final String SECOND = "0000:00:05.0";
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int KIB = 1024;

    /** Transfers that do not overlap: first block, and bytes; odd blocks, one page, two, PRP lists, up to the largest. */
    private static final List<int[]> TRANSFERS = List.of(
            new int[] {0, 4 * KIB},
            new int[] {11, 8 * KIB},
            new int[] {37, 12 * KIB},
            new int[] {101, 64 * KIB},
            new int[] {333, 132 * KIB},
            new int[] {1001, 508 * KIB},
            new int[] {3001, 1024 * KIB});

    @AfterAll
    static void giveBack() throws IOException {
        new DriverBinding(PciBus.system(), FIRST).release();
        new DriverBinding(PciBus.system(), SECOND).release();
    }

    private static NvmeController open(String controller) throws IOException {
        new DriverBinding(PciBus.system(), controller).bind(DriverBinding.VFIO_PCI);
        return Nvme.open("vfio:" + controller);
    }

    private static byte[] pattern(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static long seed(int block, int namespace) {
        return 1_000_003L * block + namespace;
    }

    @Test
    void itIsTheControllerThatQemuWasTold() throws IOException {
        try (NvmeController first = open(FIRST)) {
            assertThat(first.identity().modelNumber()).isEqualTo("QEMU NVMe Ctrl");
            assertThat(first.identity().serialNumber()).isEqualTo("OUTBOARD-0");
            assertThat(first.namespaces()).singleElement().satisfies(namespace -> {
                assertThat(namespace.blockSizeBytes()).isEqualTo(512);
                assertThat(namespace.sizeBytes()).isEqualTo(64L << 20);
            });
        }
        try (NvmeController second = open(SECOND)) {
            assertThat(second.identity().serialNumber()).isEqualTo("OUTBOARD-1");
            assertThat(second.namespaces())
                    .extracting(NvmeNamespace::id, NvmeNamespace::blockSizeBytes)
                    .containsExactly(tuple(1, 512), tuple(2, 4096));
        }
    }

    @ParameterizedTest
    @CsvSource({FIRST + ",1,512", SECOND + ",1,1024", SECOND + ",2,1024"})
    void theKernelReadsWhatWasWritten(String address, int id, int limitKib) throws Exception {
        int blockBytes;
        try (NvmeController controller = open(address);
                QueuePair queue = controller.createQueuePair(8);
                DmaMemory buffer = controller.dma().allocate(1024 * KIB)) {
            NvmeNamespace namespace = controller.namespace(id);
            blockBytes = namespace.blockSizeBytes();
            for (int[] transfer : TRANSFERS) {
                int length = Math.min(transfer[1], limitKib * KIB);
                byte[] data = pattern(seed(transfer[0], id), length);
                buffer.segment().copyFrom(MemorySegment.ofArray(data));
                queue.write(namespace, transfer[0], buffer.slice(0, length)).await(SOON);
            }
            queue.flush(namespace).await(SOON);
            assertThat(controller.maximumTransferBytes()).isEqualTo((long) limitKib * KIB);
        }
        Path node = KernelBlockDevice.of(address, id);
        for (int[] transfer : TRANSFERS) {
            int length = Math.min(transfer[1], limitKib * KIB);
            byte[] written = Arrays.copyOf(pattern(seed(transfer[0], id), transfer[1]), length);
            byte[] read = KernelBlockDevice.read(node, (long) transfer[0] * blockBytes, length);
            assertThat(Arrays.mismatch(read, written))
                    .as("%d bytes at block %d", length, transfer[0])
                    .isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @CsvSource({FIRST + ",1,512", SECOND + ",2,4096"})
    void whatTheKernelWroteIsRead(String address, int id, int blockBytes) throws Exception {
        Path node = KernelBlockDevice.of(address, id);
        for (int[] transfer : TRANSFERS) {
            KernelBlockDevice.write(
                    node, (long) transfer[0] * blockBytes, pattern(-seed(transfer[0], id), transfer[1]));
        }
        try (NvmeController controller = open(address);
                NvmeBlockDevice disk = new NvmeBlockDevice(controller, controller.namespace(id), Waiting.INTERRUPT);
                DmaMemory buffer = disk.allocate(1024 * KIB)) {
            assertThat(disk.blockSizeBytes()).isEqualTo(blockBytes);
            for (int[] transfer : TRANSFERS) {
                DmaMemory part = buffer.slice(0, transfer[1]);
                disk.read(transfer[0], part);
                byte[] written = pattern(-seed(transfer[0], id), transfer[1]);
                assertThat(part.segment().mismatch(MemorySegment.ofArray(written)))
                        .as("%d bytes at block %d", transfer[1], transfer[0])
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void aDeepQueueOfRandomReadsBringsEachItsOwnData() throws IOException {
        int depth = 128;
        int blocks = 4096;
        int reads = 2000;
        long randomSeed = System.nanoTime();
        Random random = new Random(randomSeed);
        try (NvmeController controller = open(FIRST);
                NvmeBlockDevice disk =
                        new NvmeBlockDevice(controller, controller.namespaces().getFirst(), Waiting.POLL);
                QueuePair queue = controller.createQueuePair(depth);
                DmaMemory all = disk.allocate((long) blocks * disk.blockSizeBytes());
                DmaMemory buffers = disk.allocate((long) depth * disk.blockSizeBytes())) {
            int blockBytes = disk.blockSizeBytes();
            for (long i = 0; i < all.sizeBytes(); i += Long.BYTES) {
                all.segment().set(ValueLayout.JAVA_LONG, i, i * 0x9e3779b97f4a7c15L);
            }
            disk.write(0, all);
            int[] counts = new int[2];
            List<String> wrong = new ArrayList<>();
            int[] blockOfSlot = new int[depth];
            CompletionHandler handler = request -> {
                int slot = (int) request.context();
                long at = (long) blockOfSlot[slot] * blockBytes;
                MemorySegment expected = all.segment().asSlice(at, blockBytes);
                MemorySegment read = buffers.segment().asSlice((long) slot * blockBytes, blockBytes);
                if (request.status() != 0 || read.mismatch(expected) >= 0) {
                    wrong.add("block " + blockOfSlot[slot] + ", status " + request.status());
                }
                blockOfSlot[slot] = -1;
                counts[1]++;
            };
            Arrays.fill(blockOfSlot, -1);
            while (counts[1] < reads) {
                for (int slot = 0; slot < depth && counts[0] < reads; slot++) {
                    if (blockOfSlot[slot] < 0) {
                        blockOfSlot[slot] = random.nextInt(blocks);
                        counts[0]++;
                        queue.read(
                                controller.namespaces().getFirst(),
                                blockOfSlot[slot],
                                1,
                                buffers,
                                (long) slot * blockBytes,
                                handler,
                                slot);
                    }
                }
                queue.poll();
            }
            assertThat(wrong).as("seed " + randomSeed).isEmpty();
        }
    }

    @Test
    void threadsWaitForInterruptsOfTheirOwn() throws Exception {
        try (NvmeController controller = open(FIRST);
                var executor = Executors.newFixedThreadPool(3)) {
            NvmeNamespace namespace = controller.namespaces().getFirst();
            List<Future<Void>> results = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int first = 1000 * i;
                Callable<Void> task = () -> {
                    try (QueuePair queue = controller.createQueuePair(4, Waiting.INTERRUPT);
                            DmaMemory buffer = controller.dma().allocate(4 * KIB)) {
                        for (int n = 0; n < 50; n++) {
                            byte[] data = pattern(first + n, 4 * KIB);
                            buffer.segment().copyFrom(MemorySegment.ofArray(data));
                            queue.write(namespace, first + 8L * n, buffer).await(SOON);
                            buffer.segment().fill((byte) 0);
                            queue.read(namespace, first + 8L * n, buffer).await(SOON);
                            assertThat(buffer.segment().toArray(ValueLayout.JAVA_BYTE))
                                    .isEqualTo(data);
                        }
                        return null;
                    }
                };
                results.add(executor.submit(task));
            }
            for (Future<Void> result : results) {
                result.get();
            }
        }
    }

    @Test
    void aControllerWhoseProcessWasKilledInTheMiddleIsUsableAgain() throws Exception {
        new DriverBinding(PciBus.system(), FIRST).bind(DriverBinding.VFIO_PCI);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "@" + System.getProperty("outboard.java.options"),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-m",
                        "dev.outboard.nvme/" + EndlessReads.class.getName(),
                        "vfio:" + FIRST)
                .redirectErrorStream(true)
                .start();
        try (BufferedReader lines = process.inputReader()) {
            assertThat(lines.readLine()).isEqualTo(EndlessReads.RUNNING);
            process.destroyForcibly();
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        }
        for (int i = 0; i < 2; i++) {
            try (NvmeController controller = open(FIRST);
                    QueuePair queue = controller.createQueuePair(8);
                    DmaMemory buffer = controller.dma().allocate(4 * KIB)) {
                queue.read(controller.namespaces().getFirst(), 0, buffer).await(SOON);
            }
        }
    }
}
