package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Namespaces of every kind in one controller of QEMU's, with the kernel's driver, nvme-cli and fio as witnesses. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(
        named = "OUTBOARD_RIG",
        matches = "qemu",
        disabledReason = "writes to PCI function 00:1c.0")
class NamespacesAndKernelTest {
    private static final int PLAIN = 1;
    private static final int LARGE_BLOCKS = 2;
    private static final int METADATA_APART = 3;
    private static final int METADATA_BETWEEN = 4;
    private static final int PROTECTED = 5;
    private static final int DETACHED = 7;
    private static final Duration SOON = Duration.ofSeconds(60);
    /** Whole pages, because the kernel reads and writes those: blocks that were never written have no protection. */
    private static final int FIRST = 16;

    private static final int BLOCKS = 16;
    private static final int METADATA = 8;

    @TempDir
    private Path directory;

    @AfterAll
    static void giveBack() throws IOException {
        RigController.release();
    }

    private static Path node(int namespace) throws Exception {
        return KernelBlockDevice.of(RigController.ADDRESS, namespace);
    }

    private static byte[] pattern(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static DmaMemory memory(NvmeController controller, byte[] bytes) throws IOException {
        DmaMemory memory = controller.dma().allocate(bytes.length);
        memory.segment().copyFrom(MemorySegment.ofArray(bytes));
        return memory;
    }

    /** A command on the blocks that the tests use, with all that the namespace needs. */
    private static NvmeCommand complete(
            NvmeCommand command, NvmeNamespace namespace, DmaMemory data, DmaMemory metadata) {
        command.data(data);
        if (namespace.protectionType() != 0) {
            // The controller makes it, and checks it.
            command.protection(true, checkAll(), FIRST, 0, 0);
        } else if (namespace.metadataBytes() != 0 && !namespace.hasExtendedBlocks()) {
            command.metadata(metadata);
        }
        return command;
    }

    private static long checkAll() {
        return ProtectionInformation.CHECK_GUARD.mask() | ProtectionInformation.CHECK_REFERENCE_TAG.mask();
    }

    @ParameterizedTest
    @ValueSource(ints = {PLAIN, LARGE_BLOCKS, METADATA_APART, PROTECTED})
    void theKernelReadsWhatWasWritten(int id) throws Exception {
        byte[] data;
        int blockBytes;
        try (NvmeController controller = RigController.open();
                QueuePair queue = controller.createQueuePair(4)) {
            NvmeNamespace namespace = controller.namespace(id);
            blockBytes = namespace.blockSizeBytes();
            data = pattern(id, BLOCKS * blockBytes);
            queue.submit(complete(
                            NvmeCommand.write(namespace, FIRST, BLOCKS),
                            namespace,
                            memory(controller, data),
                            memory(controller, pattern(-id, BLOCKS * METADATA))))
                    .await(SOON);
        }
        // The kernel checks protection information as it reads.
        assertThat(KernelBlockDevice.read(node(id), (long) FIRST * blockBytes, data.length))
                .isEqualTo(data);
    }

    @ParameterizedTest
    @ValueSource(ints = {PLAIN, LARGE_BLOCKS, METADATA_APART, PROTECTED})
    void whatTheKernelWroteIsRead(int id) throws Exception {
        int blockBytes = id == LARGE_BLOCKS ? 4096 : 512;
        byte[] data = pattern(100 + id, BLOCKS * blockBytes);
        KernelBlockDevice.write(node(id), (long) FIRST * blockBytes, data);
        try (NvmeController controller = RigController.open();
                QueuePair queue = controller.createQueuePair(4)) {
            NvmeNamespace namespace = controller.namespace(id);
            DmaMemory read = controller.dma().allocate(data.length);
            queue.submit(complete(
                            NvmeCommand.read(namespace, FIRST, BLOCKS),
                            namespace,
                            read,
                            controller.dma().allocate(BLOCKS * METADATA)))
                    .await(SOON);
            assertThat(read.segment().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(data);
        }
    }

    @Test
    void theKernelFindsProtectionInformationThatIsWrong() throws Exception {
        int pageBytes = 4096;
        int blocksAPage = pageBytes / 512;
        try (NvmeController controller = RigController.open();
                QueuePair queue = controller.createQueuePair(4)) {
            NvmeNamespace namespace = controller.namespace(PROTECTED);
            DmaMemory pages = memory(controller, Arrays.copyOf(pattern(1, pageBytes), 2 * pageBytes));
            queue.submit(NvmeCommand.write(namespace, 0, 2 * blocksAPage)
                            .data(pages)
                            .protection(true, 0, 0, 0, 0))
                    .await(SOON);
            DmaMemory tuple = controller.dma().allocate(METADATA);
            ProtectionInformation.STANDARD.setTags(tuple.segment(), 0, 0, blocksAPage);
            queue.submit(NvmeCommand.write(namespace, blocksAPage, 1)
                            .data(pages.slice(0, 512))
                            .metadata(tuple)
                            .protection(false, 0, blocksAPage, 0, 0))
                    .await(SOON);
        }
        Path node = node(PROTECTED);
        assertThat(KernelBlockDevice.read(node, 0, pageBytes)).isEqualTo(pattern(1, pageBytes));
        assertThatThrownBy(() -> KernelBlockDevice.read(node, pageBytes, 512)).isInstanceOf(IOException.class);
    }

    /** The kernel shows no blocks of such a namespace; nvme-cli reads and writes them by the kernel's driver. */
    @ParameterizedTest
    @ValueSource(ints = {METADATA_APART, METADATA_BETWEEN})
    void nvmeCliReadsMetadataThatWasWrittenAndTheOtherWayRound(int id) throws Exception {
        boolean between = id == METADATA_BETWEEN;
        int dataBytes = BLOCKS * (between ? 512 + METADATA : 512);
        byte[] data = pattern(200 + id, dataBytes);
        byte[] metadata = pattern(300 + id, BLOCKS * METADATA);
        try (NvmeController controller = RigController.open();
                QueuePair queue = controller.createQueuePair(4)) {
            NvmeNamespace namespace = controller.namespace(id);
            queue.submit(complete(
                            NvmeCommand.write(namespace, FIRST, BLOCKS),
                            namespace,
                            memory(controller, data),
                            memory(controller, metadata)))
                    .await(SOON);
        }
        nvme("read", id, dataBytes);
        assertThat(directory.resolve("data")).hasBinaryContent(data);
        if (!between) {
            assertThat(directory.resolve("metadata")).hasBinaryContent(metadata);
        }

        Files.write(directory.resolve("data"), pattern(400 + id, dataBytes));
        Files.write(directory.resolve("metadata"), pattern(500 + id, BLOCKS * METADATA));
        nvme("write", id, dataBytes);
        try (NvmeController controller = RigController.open();
                QueuePair queue = controller.createQueuePair(4)) {
            NvmeNamespace namespace = controller.namespace(id);
            DmaMemory read = controller.dma().allocate(dataBytes);
            DmaMemory metadataRead = controller.dma().allocate(BLOCKS * METADATA);
            queue.submit(complete(NvmeCommand.read(namespace, FIRST, BLOCKS), namespace, read, metadataRead))
                    .await(SOON);
            assertThat(read.segment().toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(Files.readAllBytes(directory.resolve("data")));
            if (!between) {
                assertThat(metadataRead.segment().toArray(ValueLayout.JAVA_BYTE))
                        .isEqualTo(Files.readAllBytes(directory.resolve("metadata")));
            }
        }
    }

    private void nvme(String command, int id, int dataBytes) throws Exception {
        Program.run(
                "nvme",
                command,
                node(id).toString(),
                "--start-block=" + FIRST,
                "--block-count=" + (BLOCKS - 1),
                "--data-size=" + dataBytes,
                "--data=" + directory.resolve("data"),
                "--metadata-size=" + (id == METADATA_APART ? BLOCKS * METADATA : 0),
                "--metadata=" + directory.resolve("metadata"));
    }

    @Test
    void theKernelSeesBlocksOfTheSizeThatANamespaceWasFormattedTo() throws Exception {
        format(4096);
        assertThat(kernelsBlockSize()).isEqualTo("4096");
        Program.run("nvme", "format", node(PLAIN).toString(), "--block-size=512", "--force");
        try (NvmeController controller = RigController.open()) {
            assertThat(controller.namespace(PLAIN).blockSizeBytes()).isEqualTo(512);
        }
        assertThat(kernelsBlockSize()).isEqualTo("512");
    }

    private static void format(int blockBytes) throws IOException {
        try (NvmeController controller = RigController.open()) {
            int format = controller.namespace(PLAIN).formats().stream()
                    .filter(each -> each.blockSizeBytes() == blockBytes && each.metadataBytes() == 0)
                    .findFirst()
                    .orElseThrow()
                    .index();
            controller.admin().namespaces().format(PLAIN, NamespaceFormat.of(format), NamespaceCommand.ERASE_NONE);
            assertThat(controller.namespace(PLAIN).blockSizeBytes()).isEqualTo(blockBytes);
        }
    }

    private static String kernelsBlockSize() throws Exception {
        Path queue = Path.of("/sys/class/block", node(PLAIN).getFileName().toString(), "queue");
        return Files.readString(queue.resolve("logical_block_size")).strip();
    }

    @Test
    void aNamespaceThatIsAttachedIsTheKernelsUntilItIsDetached() throws Exception {
        byte[] data = pattern(6, 4096);
        try (NvmeController controller = RigController.open();
                QueuePair queue = controller.createQueuePair(1)) {
            NamespaceManagement namespaces = controller.admin().namespaces();
            assertThat(namespaces.allocated()).contains(DETACHED);
            assertThat(controller.namespaces()).extracting(NvmeNamespace::id).doesNotContain(DETACHED);
            namespaces.attach(DETACHED);
            queue.write(controller.namespace(DETACHED), 0, memory(controller, data))
                    .await(SOON);
        }
        Path node = node(DETACHED);
        assertThat(KernelBlockDevice.read(node, 0, data.length)).isEqualTo(data);
        assertThat(Program.run("nvme", "list-ns", node.toString())).contains(":0x7\n");
        try (NvmeController controller = RigController.open()) {
            controller.admin().namespaces().detach(DETACHED);
            assertThat(controller.namespaces()).extracting(NvmeNamespace::id).doesNotContain(DETACHED);
        }
        assertThat(Program.run("nvme", "list-ns", node(PLAIN).toString())).doesNotContain(":0x7\n");
    }

    @Test
    void theKernelReadsOfTrimmedAndCopiedBlocksWhatTheControllerMadeOfThem() throws Exception {
        byte[] data = pattern(7, BLOCKS * 512);
        try (NvmeController controller = RigController.open();
                QueuePair queue = controller.createQueuePair(1)) {
            NvmeNamespace namespace = controller.namespace(PLAIN);
            queue.write(namespace, 0, memory(controller, data)).await(SOON);
            queue.submit(NvmeCommand.copy(namespace, 96).range(8, 8).range(0, 8))
                    .await(SOON);
            queue.submit(NvmeCommand.writeZeroes(namespace, 1, 2, true)).await(SOON);
            queue.submit(NvmeCommand.deallocate(namespace).range(8, 8)).await(SOON);
        }
        byte[] expected = new byte[112 * 512];
        System.arraycopy(data, 0, expected, 0, 512);
        System.arraycopy(data, 3 * 512, expected, 3 * 512, 5 * 512);
        System.arraycopy(data, 8 * 512, expected, 96 * 512, 8 * 512);
        System.arraycopy(data, 0, expected, 104 * 512, 8 * 512);
        byte[] read = KernelBlockDevice.read(node(PLAIN), 0, expected.length);
        // What lies between is another test's.
        System.arraycopy(expected, 16 * 512, read, 16 * 512, 80 * 512);
        assertThat(Arrays.mismatch(read, expected)).isEqualTo(-1);
    }

    @Test
    void fioVerifiesWhatWasWrittenAndWhatItWroteIsReadAsItWants() throws Exception {
        int bytes = 2 << 20;
        Path file = directory.resolve("pattern");
        fio(file, "--do_verify=0");
        try (NvmeController controller = RigController.open();
                NvmeBlockDevice disk =
                        new NvmeBlockDevice(controller, controller.namespace(LARGE_BLOCKS), Waiting.ADAPTIVE)) {
            disk.write(0, memory(controller, Files.readAllBytes(file)));
            disk.flush();
        }
        fio(node(LARGE_BLOCKS), "--verify_only=1");

        fio(node(LARGE_BLOCKS), "--do_verify=0", "--randseed=2");
        try (NvmeController controller = RigController.open();
                NvmeBlockDevice disk =
                        new NvmeBlockDevice(controller, controller.namespace(LARGE_BLOCKS), Waiting.ADAPTIVE)) {
            DmaMemory read = disk.allocate(bytes);
            disk.read(0, read);
            Files.write(file, read.segment().toArray(ValueLayout.JAVA_BYTE));
        }
        fio(file, "--verify_only=1", "--randseed=2");
    }

    private static void fio(Path file, String... more) throws Exception {
        String[] always = {
            "fio", "--name=pattern", "--filename=" + file, "--size=2M", "--rw=randwrite", "--bs=4k", "--verify=crc32c"
        };
        String[] command = Arrays.copyOf(always, always.length + more.length);
        System.arraycopy(more, 0, command, always.length, more.length);
        Program.run(command);
    }
}
