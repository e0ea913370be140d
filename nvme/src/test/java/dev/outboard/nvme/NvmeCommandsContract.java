package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.memory.DmaLimits;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.ScatterList;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Commands that are more than blocks and a buffer, on a namespace of 512-byte blocks. Writes to the first one. */
abstract class NvmeCommandsContract {
    static final Duration SOON = Duration.ofSeconds(30);
    static final int BLOCK = 512;
    private static final int DEPTH = 8;

    NvmeController controller;
    QueuePair queue;
    NvmeNamespace namespace;

    /** Opens the controller; called for each test. */
    abstract NvmeController open() throws IOException;

    @BeforeEach
    void openController() throws IOException {
        use(open());
    }

    void use(NvmeController opened) throws IOException {
        controller = opened;
        queue = controller.createQueuePair(DEPTH);
        namespace = controller.namespace(1);
    }

    @AfterEach
    void closeController() {
        if (controller != null) {
            controller.close();
        }
    }

    DmaMemory filled(int size, int value) throws IOException {
        DmaMemory memory = controller.dma().allocate(size);
        memory.segment().fill((byte) value);
        return memory;
    }

    int status(NvmeCommand command) throws IOException {
        try {
            queue.submit(command).await(SOON);
            return Status.SUCCESS;
        } catch (NvmeException e) {
            return Status.code(e.status());
        }
    }

    @Test
    void blocksAreComparedZeroedAndVerified() throws IOException {
        DmaMemory ones = filled(4 * BLOCK, 1);
        assertThat(status(NvmeCommand.write(namespace, 8, 4).forceUnitAccess().data(ones)))
                .isZero();
        assertThat(status(NvmeCommand.compare(namespace, 8, 4).data(ones))).isZero();
        assertThat(status(NvmeCommand.writeZeroes(namespace, 9, 1, true))).isZero();
        assertThat(status(NvmeCommand.compare(namespace, 8, 4).data(ones))).isEqualTo(Status.COMPARE_FAILURE);
        assertThat(status(NvmeCommand.read(namespace, 8, 4).data(ones))).isZero();
        assertThat(ones.segment().get(ValueLayout.JAVA_BYTE, BLOCK)).isZero();
        assertThat(ones.segment().get(ValueLayout.JAVA_BYTE, 2 * BLOCK)).isEqualTo((byte) 1);
        assertThat(status(NvmeCommand.verify(namespace, 8, 4))).isZero();
    }

    /** Writes from pieces, reads into one buffer, and the other way round. */
    @ParameterizedTest
    @CsvSource({"4096, 0, 4096, 0", "4096, 2048, 2048, 0", "512, 4, 512, 1024", "1024, 0, 3072, 12"})
    void piecesOfMemoryAreTransferredAsOne(int size1, int offset1, int size2, int offset2) throws IOException {
        DmaMemory first = filled(3 * 4096, 1);
        DmaMemory second = filled(3 * 4096, 2);
        ScatterList pieces =
                new ScatterList(8, DmaLimits.NONE).add(first, offset1, size1).add(second, offset2, size2);
        int blocks = (size1 + size2) / BLOCK;
        DmaMemory whole = filled(size1 + size2, 0);
        assertThat(status(NvmeCommand.write(namespace, 0, blocks).data(pieces))).isZero();
        assertThat(status(NvmeCommand.read(namespace, 0, blocks).data(whole))).isZero();
        assertThat(whole.segment().get(ValueLayout.JAVA_BYTE, size1 - 1)).isEqualTo((byte) 1);
        assertThat(whole.segment().get(ValueLayout.JAVA_BYTE, size1)).isEqualTo((byte) 2);
        whole.segment().fill((byte) 9);
        assertThat(status(NvmeCommand.write(namespace, 0, blocks).data(whole))).isZero();
        assertThat(status(NvmeCommand.read(namespace, 0, blocks).data(pieces))).isZero();
        assertThat(second.segment().get(ValueLayout.JAVA_BYTE, offset2 + size2 - 1))
                .isEqualTo((byte) 9);
        assertThat(second.segment().get(ValueLayout.JAVA_BYTE, offset2 + size2)).isEqualTo((byte) 2);
        assertThat(first.segment().get(ValueLayout.JAVA_BYTE, offset1 + size1)).isEqualTo((byte) 1);
    }

    @Test
    void aBufferOfAnotherSizeThanTheBlocksIsRefused() throws IOException {
        DmaMemory block = filled(BLOCK, 0);
        assertThatThrownBy(() -> queue.submit(NvmeCommand.read(namespace, 0, 2).data(block)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("are 1024 bytes, not 512");
        assertThatThrownBy(() -> queue.submit(NvmeCommand.read(namespace, 0, 1)))
                .hasMessageContaining("are 512 bytes, not 0");
        assertThatThrownBy(() -> NvmeCommand.read(namespace, namespace.blockCount(), 1))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> NvmeCommand.of(256)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(queue.room()).isEqualTo(8);
    }

    @Test
    void anyCommandCanBeSent() throws IOException {
        assertThat(status(NvmeCommand.of(Opcode.FLUSH).namespace(-1))).isZero();
        assertThat(status(NvmeCommand.of(0xc1).namespace(1).dword(12, 42))).isEqualTo(Status.INVALID_OPCODE);
        assertThatThrownBy(() -> NvmeCommand.of(0).dword(9, 1)).hasMessageContaining("10 to 15");
    }

    @Test
    void rangesAreDeallocatedAndCopied() throws IOException {
        DmaMemory sevens = filled(16 * BLOCK, 7);
        assertThat(status(NvmeCommand.write(namespace, 0, 16).data(sevens))).isZero();
        NvmeCommand copy = NvmeCommand.copy(namespace, 96).range(8, 8).range(0, 8);
        assertThat(status(copy)).isZero();
        assertThat(firstByte(111)).isEqualTo(7);
        // Of pages, so that every controller does it; what they read as is its choice, and zeros are that of all of
        // these.
        NvmeCommand trim = NvmeCommand.deallocate(namespace).range(8, 8).range(104, 8);
        assertThat(status(trim)).isZero();
        assertThat(firstByte(7)).isEqualTo(7);
        assertThat(firstByte(8)).isZero();
        assertThat(firstByte(103)).isEqualTo(7);
        assertThat(firstByte(104)).isZero();
        assertThat(status(trim.clearRanges().range(96, 8))).isZero();
        assertThat(firstByte(96)).isZero();
        assertThat(firstByte(0)).isEqualTo(7);
    }

    int firstByte(long block) throws IOException {
        DmaMemory data = filled(BLOCK, 0x55);
        queue.read(namespace, block, data).await(SOON);
        return data.segment().get(ValueLayout.JAVA_BYTE, 0);
    }

    @Test
    void rangesThatTheCommandCannotHaveAreRefused() throws IOException {
        NvmeCommand trim = NvmeCommand.deallocate(namespace);
        assertThatThrownBy(() -> queue.submit(trim)).hasMessageContaining("no range");
        assertThatThrownBy(() -> trim.range(namespace.blockCount() - 1, 2))
                .isInstanceOf(IndexOutOfBoundsException.class);
        for (int i = 0; i < 256; i++) {
            trim.range(i, 1);
        }
        assertThatThrownBy(() -> trim.range(256, 1)).hasMessageContaining("all 256 ranges");
        assertThat(status(trim)).isZero();
        assertThatThrownBy(() -> NvmeCommand.copy(namespace, 0).range(0, 0)).hasMessageContaining("1 to 65536");
        assertThatThrownBy(() -> NvmeCommand.read(namespace, 0, 1).range(0, 1)).hasMessageContaining("no ranges");
        assertThat(queue.room()).isEqualTo(8);
    }
}
