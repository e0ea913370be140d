package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What holds for every namespace of 512-byte blocks with 8 bytes of metadata. Writes to its first blocks. */
abstract class NvmeMetadataContract {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int BLOCK = 512;
    private static final int METADATA = 8;
    private static final int FIRST = 5;
    private static final int BLOCKS = 4;
    private static final int APPLICATION_TAG = 0x4711;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final long CHECK_ALL = ProtectionInformation.CHECK_GUARD.mask()
            | ProtectionInformation.CHECK_APPLICATION_TAG.mask()
            | ProtectionInformation.CHECK_REFERENCE_TAG.mask();

    private NvmeController controller;
    private QueuePair queue;
    private NvmeNamespace namespace;

    /** Opens a controller that has a namespace with such metadata. */
    abstract NvmeController open(NvmeOptions.Metadata metadata) throws IOException;

    private void find(boolean extended, int protectionType) throws IOException {
        controller = open(new NvmeOptions.Metadata(METADATA, extended, protectionType));
        queue = controller.createQueuePair(4);
        namespace = controller.namespaces().stream()
                .filter(each -> each.metadataBytes() == METADATA
                        && each.hasExtendedBlocks() == extended
                        && each.protectionType() == protectionType)
                .findFirst()
                .orElseThrow();
    }

    @AfterEach
    void closeController() {
        if (controller != null) {
            controller.close();
        }
    }

    private DmaMemory random(int sizeBytes, long seed) throws IOException {
        byte[] bytes = new byte[sizeBytes];
        new Random(seed).nextBytes(bytes);
        DmaMemory memory = controller.dma().allocate(sizeBytes);
        memory.segment().copyFrom(MemorySegment.ofArray(bytes));
        return memory;
    }

    private void execute(NvmeCommand command) throws IOException {
        queue.submit(command).await(SOON);
    }

    @Test
    void metadataApartFromTheDataIsReadAsItWasWritten() throws IOException {
        find(false, 0);
        DmaMemory data = random(BLOCKS * BLOCK, 1);
        DmaMemory metadata = random(BLOCKS * METADATA, 2);
        execute(NvmeCommand.write(namespace, FIRST, BLOCKS).data(data).metadata(metadata));
        DmaMemory dataRead = controller.dma().allocate(BLOCK);
        DmaMemory metadataRead = controller.dma().allocate(METADATA);
        for (int i = 0; i < BLOCKS; i++) {
            execute(NvmeCommand.read(namespace, FIRST + i, 1).data(dataRead).metadata(metadataRead));
            assertThat(dataRead.segment().mismatch(data.segment().asSlice((long) i * BLOCK, BLOCK)))
                    .isEqualTo(-1);
            assertThat(metadataRead.segment().mismatch(metadata.segment().asSlice((long) i * METADATA, METADATA)))
                    .isEqualTo(-1);
        }
    }

    @Test
    void metadataBetweenTheBlocksIsReadAsItWasWritten() throws IOException {
        find(true, 0);
        int extended = BLOCK + METADATA;
        DmaMemory written = random(BLOCKS * extended, 3);
        execute(NvmeCommand.write(namespace, FIRST, BLOCKS).data(written));
        DmaMemory read = controller.dma().allocate(extended);
        for (int i = 0; i < BLOCKS; i++) {
            execute(NvmeCommand.read(namespace, FIRST + i, 1).data(read));
            assertThat(read.segment().mismatch(written.segment().asSlice((long) i * extended, extended)))
                    .isEqualTo(-1);
        }
    }

    @Test
    void aCommandThatHasNoPlaceForMetadataIsRefusedBeforeItIsSubmitted() throws IOException {
        find(false, 0);
        DmaMemory data = controller.dma().allocate(BLOCK);
        assertThatThrownBy(() -> queue.read(namespace, FIRST, data)).hasMessageContaining("the metadata of 1 blocks");
        assertThatThrownBy(() -> execute(NvmeCommand.read(namespace, FIRST, 1).data(data)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theControllerMakesProtectionInformationAndChecksIt() throws IOException {
        find(false, 1);
        DmaMemory data = random(BLOCKS * BLOCK, 4);
        DmaMemory tuples = controller.dma().allocate(BLOCKS * METADATA);
        execute(NvmeCommand.write(namespace, FIRST, BLOCKS)
                .data(data)
                .protection(true, 0, FIRST, APPLICATION_TAG, 0xffff));
        execute(NvmeCommand.read(namespace, FIRST, BLOCKS)
                .data(data)
                .metadata(tuples)
                .protection(false, CHECK_ALL, FIRST, APPLICATION_TAG, 0xffff));
        for (int i = 0; i < BLOCKS; i++) {
            MemorySegment tuple = tuples.segment().asSlice((long) i * METADATA, METADATA);
            assertThat(tuple.get(SHORT, ProtectionInformation.GUARD))
                    .isEqualTo(guard(data.segment().asSlice((long) i * BLOCK, BLOCK)));
            assertThat(tuple.get(SHORT, ProtectionInformation.APPLICATION_TAG)).isEqualTo((short) APPLICATION_TAG);
            assertThat(tuple.get(INT, ProtectionInformation.REFERENCE_TAG)).isEqualTo(FIRST + i);
        }
    }

    @Test
    void aWrongGuardOrTagIsFound() throws IOException {
        find(false, 1);
        DmaMemory data = random(BLOCK, 5);
        DmaMemory tuple = controller.dma().allocate(METADATA);
        tuple.segment().set(SHORT, ProtectionInformation.GUARD, guard(data.segment()));
        tuple.segment().set(SHORT, ProtectionInformation.APPLICATION_TAG, (short) APPLICATION_TAG);
        tuple.segment().set(INT, ProtectionInformation.REFERENCE_TAG, FIRST);
        NvmeCommand write = NvmeCommand.write(namespace, FIRST, 1)
                .data(data)
                .metadata(tuple)
                .protection(false, CHECK_ALL, FIRST, APPLICATION_TAG, 0xffff);
        execute(write);
        NvmeCommand read = NvmeCommand.read(namespace, FIRST, 1)
                .data(data)
                .protection(true, CHECK_ALL, FIRST, APPLICATION_TAG + 1, 0xffff);
        assertFails(read, Status.APPLICATION_TAG_CHECK_ERROR);
        data.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) ~data.segment().get(ValueLayout.JAVA_BYTE, 0));
        assertFails(write, Status.GUARD_CHECK_ERROR);
        tuple.segment().set(SHORT, ProtectionInformation.GUARD, guard(data.segment()));
        tuple.segment().set(INT, ProtectionInformation.REFERENCE_TAG, FIRST + 1);
        assertFails(write, Status.REFERENCE_TAG_CHECK_ERROR);
    }

    private void assertFails(NvmeCommand command, int status) {
        assertThatThrownBy(() -> execute(command))
                .isInstanceOfSatisfying(
                        NvmeException.class,
                        e -> assertThat(Status.code(e.status())).isEqualTo(status));
    }

    /** The CRC of T10 DIF, bit by bit. */
    private static short guard(MemorySegment block) {
        int crc = 0;
        for (byte next : block.toArray(ValueLayout.JAVA_BYTE)) {
            crc ^= Byte.toUnsignedInt(next) << Byte.SIZE;
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                crc = (crc << 1) ^ ((crc & 0x8000) == 0 ? 0 : ProtectionInformation.GUARD_POLYNOMIAL);
            }
        }
        return (short) crc;
    }
}
