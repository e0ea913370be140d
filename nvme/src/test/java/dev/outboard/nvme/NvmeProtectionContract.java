package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Copy;
import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Metadata and protection information of every kind. Writes to the first blocks of a namespace that has them; where there
 * is none, formats the first.
 */
abstract class NvmeProtectionContract {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int BLOCK = BlockLayout.DATA_BYTES;
    private static final int BLOCKS = 4;
    private static final long FIRST = 100;
    private static final int TAG = 0x1234;
    /** As many of its low bits as there are. */
    private static final long STORAGE_TAG = 0x1122_3344_5566_7788L;

    private static final long CHECK_GUARD_AND_APPLICATION =
            ProtectionInformation.CHECK_GUARD.mask() | ProtectionInformation.CHECK_APPLICATION_TAG.mask();
    private static final long CHECK_REFERENCE = ProtectionInformation.CHECK_REFERENCE_TAG.mask();

    private NvmeController controller;
    private QueuePair queue;

    /** Opens a controller that has a namespace of a layout, or can format its first one so; called once for a test. */
    abstract NvmeController open(BlockLayout layout) throws IOException;

    private NvmeNamespace use(BlockLayout layout) throws IOException {
        controller = open(layout);
        queue = controller.createQueuePair(4);
        var found = layout.find(controller);
        return found.isPresent() ? found.get() : layout.format(controller);
    }

    @AfterEach
    void closeController() {
        if (controller != null) {
            controller.close();
        }
    }

    private DmaMemory random(long bytes, long seed) throws IOException {
        byte[] content = new byte[(int) bytes];
        new Random(seed).nextBytes(content);
        DmaMemory memory = controller.dma().allocate(bytes);
        memory.segment().copyFrom(MemorySegment.ofArray(content));
        return memory;
    }

    private static byte[] bytes(DmaMemory memory) {
        return memory.segment().toArray(ValueLayout.JAVA_BYTE);
    }

    private void execute(NvmeCommand command) throws IOException {
        queue.submit(command).await(SOON);
    }

    private void assertRefused(int status, NvmeCommand command) {
        assertThatThrownBy(() -> execute(command))
                .isInstanceOfSatisfying(
                        NvmeException.class,
                        e -> assertThat(Status.code(e.status())).isEqualTo(status));
    }

    /** All that can be checked: the storage tag only where there is one, the reference tag of type 3 never. */
    private static long checks(BlockLayout layout) {
        return CHECK_GUARD_AND_APPLICATION
                | (layout.type() == 3 ? 0 : CHECK_REFERENCE)
                | (layout.protection().storageTagBits() == 0 ? 0 : ProtectionInformation.CHECK_STORAGE_TAG.mask());
    }

    private static long storageTag(BlockLayout layout) {
        return STORAGE_TAG & layout.protection().storageTagMask();
    }

    /** Asks for all checks of blocks from {@link #FIRST}. */
    private static NvmeCommand checked(NvmeCommand command, BlockLayout layout, boolean action) {
        return command.storageTag(STORAGE_TAG).protection(action, checks(layout), FIRST, TAG, 0xffff);
    }

    @ParameterizedTest
    @ValueSource(strings = {"8 separate 0", "8 extended 0"})
    void metadataIsReadAsItWasWritten(String row) throws IOException {
        BlockLayout layout = BlockLayout.of(row);
        NvmeNamespace namespace = use(layout);
        DmaMemory data = random((long) BLOCKS * layout.extendedBytes(), 1);
        DmaMemory metadata = random((long) BLOCKS * layout.metadataBytes(), 2);
        execute(NvmeCommand.write(namespace, FIRST, BLOCKS).data(data).metadata(metadata));
        DmaMemory dataRead = controller.dma().allocate(layout.extendedBytes());
        DmaMemory metadataRead = controller.dma().allocate(layout.metadataBytes());
        for (int i = 0; i < BLOCKS; i++) {
            execute(NvmeCommand.read(namespace, FIRST + i, 1).data(dataRead).metadata(metadataRead));
            assertPart(dataRead, data, i);
            if (!layout.extended()) {
                assertPart(metadataRead, metadata, i);
            }
        }
    }

    private static void assertPart(DmaMemory found, DmaMemory all, int index) {
        long bytes = found.sizeBytes();
        assertThat(found.segment().mismatch(all.segment().asSlice(index * bytes, bytes)))
                .isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8 separate 1",
                "8 extended 1",
                "8 extended 2 first",
                "16 separate 1",
                "16 extended 2",
                "16 extended 1 first",
                "64 separate 2 first",
                "16 separate 1 64/0",
                "16 extended 1 64/0",
                "16 separate 2 first 64/0",
                "16 extended 3 64/0",
                "64 separate 1 64/0",
                "64 extended 2 first 64/0",
                "16 separate 1 64/16",
                "64 extended 2 64/48",
                "16 separate 1 32/16",
                "16 extended 2 32/40",
                "64 separate 1 32/64",
                "64 extended 3 first 32/64",
                "8 separate 1 16/16",
                "8 extended 2 16/16"
            })
    void whatTheHostProtectsTheControllerChecksAndReturns(String row) throws IOException {
        BlockLayout layout = BlockLayout.of(row);
        NvmeNamespace namespace = use(layout);
        assertThat(namespace.extendedBlockBytes()).isEqualTo(layout.extendedBytes());
        BlockProtection protection = new BlockProtection(namespace, storageTag(layout));
        DmaMemory data = random((long) BLOCKS * layout.extendedBytes(), 3);
        DmaMemory metadata = random((long) BLOCKS * layout.metadataBytes(), 4);
        protection.protect(data.segment(), metadata.segment(), FIRST, TAG);
        NvmeCommand write = checked(NvmeCommand.write(namespace, FIRST, BLOCKS), layout, false)
                .data(data)
                .metadata(metadata);
        execute(write);
        byte[] written = bytes(data);
        byte[] writtenMetadata = bytes(metadata);
        data.segment().fill((byte) 0);
        metadata.segment().fill((byte) 0);
        if (layout.extended()) {
            queue.read(namespace, FIRST, data).await(SOON);
        } else {
            queue.read(namespace, FIRST, data, metadata).await(SOON);
            assertThat(bytes(metadata)).isEqualTo(writtenMetadata);
        }
        assertThat(bytes(data)).isEqualTo(written);
        protection.check(data.segment(), metadata.segment(), FIRST, TAG);

        long at = layout.extendedBytes() + 5L;
        data.segment().set(ValueLayout.JAVA_BYTE, at, (byte) ~written[(int) at]);
        assertThatThrownBy(() -> protection.check(data.segment(), metadata.segment(), FIRST, TAG))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("block 101 of namespace")
                .hasMessageContaining("has the guard");
        assertRefused(Status.GUARD_CHECK_ERROR, write);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8 separate 1",
                "16 separate 1 64/0",
                "16 separate 2 64/0",
                "16 separate 1 64/16",
                "64 separate 1 64/48",
                "16 separate 1 32/16",
                "16 separate 2 32/40",
                "64 separate 2 first 32/64",
                "8 separate 1 16/16"
            })
    void theControllerMakesWhatTheHostExpects(String row) throws IOException {
        BlockLayout layout = BlockLayout.of(row);
        NvmeNamespace namespace = use(layout);
        DmaMemory data = random((long) BLOCKS * BLOCK, 5);
        DmaMemory metadata = random((long) BLOCKS * layout.metadataBytes(), 6);
        byte[] written = bytes(data);
        execute(checked(NvmeCommand.write(namespace, FIRST, BLOCKS), layout, true)
                .data(data)
                .metadata(metadata));
        data.segment().fill((byte) 0);
        metadata.segment().fill((byte) 0);
        NvmeCommand read = checked(NvmeCommand.read(namespace, FIRST, BLOCKS), layout, false)
                .data(data)
                .metadata(metadata);
        execute(read);
        assertThat(bytes(data)).isEqualTo(written);
        new BlockProtection(namespace, storageTag(layout)).check(data.segment(), metadata.segment(), FIRST, TAG);
        NvmeCommand other =
                NvmeCommand.read(namespace, FIRST, BLOCKS).data(data).metadata(metadata);
        assertRefused(
                Status.APPLICATION_TAG_CHECK_ERROR,
                other.storageTag(STORAGE_TAG).protection(false, checks(layout), FIRST, TAG + 1, 0xffff));
        if (layout.type() == 2) {
            assertRefused(
                    Status.REFERENCE_TAG_CHECK_ERROR, other.protection(false, checks(layout), FIRST + 1, TAG, 0xffff));
        }
        if (layout.protection().storageTagBits() != 0) {
            other.protection(false, checks(layout), FIRST, TAG, 0xffff);
            assertRefused(Status.STORAGE_TAG_CHECK_ERROR, other.storageTag(STORAGE_TAG ^ 1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"8 separate 1", "16 separate 1 64/0", "16 separate 1 32/16", "16 separate 1 64/16"})
    void tagsOfAnotherBlockAreFound(String row) throws IOException {
        BlockLayout layout = BlockLayout.of(row);
        NvmeNamespace namespace = use(layout);
        BlockProtection protection = new BlockProtection(namespace, storageTag(layout));
        DmaMemory data = random(BLOCK, 7);
        DmaMemory metadata = random(layout.metadataBytes(), 8);
        protection.protect(data.segment(), metadata.segment(), FIRST, TAG);
        assertThatThrownBy(() -> protection.check(data.segment(), metadata.segment(), FIRST + 1, TAG))
                .hasMessageContaining("reference tag 0x64, and 0x65 was expected");
        assertThatThrownBy(() -> protection.check(data.segment(), metadata.segment(), FIRST, 1))
                .hasMessageContaining("application tag 0x1234, and 0x1 was expected");
        if (layout.protection().storageTagBits() != 0) {
            assertThatThrownBy(() -> new BlockProtection(namespace, 0x7789)
                            .check(data.segment(), metadata.segment(), FIRST, TAG))
                    .hasMessageContaining("storage tag 0x7788, and 0x7789 was expected");
        }
        NvmeCommand elsewhere =
                NvmeCommand.write(namespace, FIRST + 1, 1).data(data).metadata(metadata);
        assertRefused(
                Status.REFERENCE_TAG_CHECK_ERROR,
                elsewhere.protection(false, CHECK_GUARD_AND_APPLICATION | CHECK_REFERENCE, FIRST + 1, TAG, 0xffff));
        metadata.segment().fill((byte) 0xff);
        assertThatCode(() -> protection.check(data.segment(), metadata.segment(), FIRST, TAG))
                .as("all ones are not checked")
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8 separate 1",
                "8 extended 1",
                "8 separate 2",
                "8 extended 2",
                "8 extended 3",
                "16 separate 1 64/0",
                "16 extended 1 64/0",
                "16 separate 2 64/0",
                "16 extended 3 64/0",
                "16 extended 1 64/16",
                "16 separate 1 32/16",
                "16 extended 2 32/40",
                "8 separate 1 16/16"
            })
    void aBlockDeviceHasItsBlocksProtectedByTheController(String row) throws IOException {
        BlockLayout layout = BlockLayout.of(row);
        NvmeNamespace namespace = use(layout);
        long size = controller.maximumTransferBytes() + 3 * BLOCK;
        try (NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.POLL);
                DmaMemory data = random(size, 9)) {
            byte[] written = bytes(data);
            disk.write(FIRST, data);
            disk.flush();
            data.segment().fill((byte) 0);
            disk.read(FIRST, data);
            assertThat(bytes(data)).isEqualTo(written);
            disk.writeZeroes(FIRST + 1, 2);
            disk.read(FIRST, data);
            assertThat(data.segment().asSlice(BLOCK, 2 * BLOCK).toArray(ValueLayout.JAVA_BYTE))
                    .containsOnly(0);
        }
        DmaMemory one = random(layout.extendedBytes(), 10);
        DmaMemory metadata = random(layout.metadataBytes(), 11);
        execute(NvmeCommand.read(namespace, FIRST + 3, 1).data(one).metadata(metadata));
        MemorySegment tuple = layout.extended() ? one.segment().asSlice(BLOCK) : metadata.segment();
        assertThat(layout.protection().guard(tuple, 0))
                .isEqualTo(layout.protection().guard().of(0, one.segment(), 0, BLOCK));
    }

    @ParameterizedTest
    @ValueSource(strings = {"16 separate 0", "16 separate 1", "64 separate 1 64/0"})
    void aBlockDeviceHasNoPlaceForOtherMetadata(String row) throws IOException {
        BlockLayout layout = BlockLayout.of(row);
        NvmeNamespace namespace = use(layout);
        assertThatThrownBy(() -> new NvmeBlockDevice(controller, namespace, Waiting.POLL))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("has " + layout.metadataBytes() + " bytes of metadata a block")
                .hasMessageContaining("format it without");
    }

    /** The controller checks what it copies, and gives it the reference tags of its new place. */
    @ParameterizedTest
    @ValueSource(strings = {"8 separate 1", "16 separate 1 64/0", "16 separate 1 64/16", "16 separate 1 32/40"})
    void copiedBlocksAreCheckedAndProtectedAnew(String row) throws IOException {
        BlockLayout layout = BlockLayout.of(row);
        NvmeNamespace namespace = use(layout);
        DmaMemory data = random((long) BLOCKS * BLOCK, 12);
        DmaMemory metadata = random((long) BLOCKS * layout.metadataBytes(), 13);
        byte[] written = bytes(data);
        execute(checked(NvmeCommand.write(namespace, FIRST, BLOCKS), layout, true)
                .data(data)
                .metadata(metadata));
        long target = FIRST + 50;
        NvmeCommand copy = NvmeCommand.copy(namespace, target)
                .storageTag(STORAGE_TAG)
                .range(FIRST, 2)
                .range(FIRST + 2, 2);
        long checksOfRead = layout.protection().storageTagBits() == 0 ? 0 : Copy.CHECK_STORAGE_TAG_READ.mask();
        // Of what is read: PRACT, the guard, and the reference tag.
        execute(copy.protection(true, Copy.PRINFO_READ.of(0b1101) | checksOfRead, target, TAG, 0xffff));
        execute(NvmeCommand.read(namespace, target, BLOCKS)
                .data(data)
                .metadata(metadata)
                .storageTag(STORAGE_TAG)
                .protection(false, checks(layout), target, TAG, 0xffff));
        assertThat(bytes(data)).isEqualTo(written);
        new BlockProtection(namespace, storageTag(layout)).check(data.segment(), metadata.segment(), target, TAG);
    }

    @Test
    void metadataThatHasNoPlaceIsRefusedBeforeItIsSubmitted() throws IOException {
        NvmeNamespace namespace = use(new BlockLayout(8, true, 0));
        assertThatThrownBy(() -> new BlockProtection(namespace)).hasMessageContaining("has no protection information");
        DmaMemory data = random(1024, 14);
        assertThatThrownBy(() -> queue.read(namespace, 0, data)).hasMessageContaining("blocks of 520");
    }

    @Test
    void buffersThatDoNotFitAreRefused() throws IOException {
        NvmeNamespace namespace = use(new BlockLayout(8, false, 1));
        DmaMemory data = random(1024, 15);
        assertThatThrownBy(() -> queue.read(namespace, 0, data)).hasMessageContaining("the metadata of 2 blocks");
        assertThatThrownBy(() -> queue.write(namespace, 0, data, random(8, 16)))
                .hasMessageContaining("the metadata of 2 blocks");
        assertThatThrownBy(() -> execute(NvmeCommand.read(namespace, FIRST, 2).data(data)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new BlockProtection(namespace)
                        .protect(data.segment(), MemorySegment.ofArray(new byte[15]), 0, 0))
                .hasMessageContaining("15 bytes of metadata");
        assertThatThrownBy(() -> new BlockProtection(namespace, 1))
                .hasMessageContaining("storage tag 0x1 has more than the 0 bits");
    }
}
