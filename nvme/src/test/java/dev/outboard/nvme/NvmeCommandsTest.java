package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaLimits;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.ScatterList;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Reservation;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.Zone;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Commands that are more than blocks and a buffer. */
class NvmeCommandsTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int BLOCK = 512;

    @TempDir
    Path directory;

    private NvmeModel model;
    private VfioUserServer server;
    private NvmeController controller;
    private QueuePair queue;
    private NvmeNamespace namespace;

    private void open(NvmeOptions options) throws IOException {
        model = new NvmeModel(options.withSizeBytes(8 << 20));
        server = VfioUserServer.start(model, directory.resolve("s"));
        controller = Nvme.open("vfio-user:" + server.path());
        queue = controller.createQueuePair(8);
        namespace = controller.namespace(1);
    }

    @AfterEach
    void close() {
        controller.close();
        server.close();
        model.close();
    }

    private DmaMemory filled(int size, int value) throws IOException {
        DmaMemory memory = controller.dma().allocate(size);
        memory.segment().fill((byte) value);
        return memory;
    }

    private int status(NvmeCommand command) throws IOException {
        try {
            queue.submit(command).await(SOON);
            return Status.SUCCESS;
        } catch (NvmeException e) {
            return Status.code(e.status());
        }
    }

    @Test
    void blocksAreComparedZeroedVerifiedAndMadeUnreadable() throws IOException {
        open(NvmeOptions.DEFAULT);
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
        assertThat(status(NvmeCommand.writeUncorrectable(namespace, 8, 1))).isZero();
        assertThat(status(NvmeCommand.verify(namespace, 8, 4))).isEqualTo(Status.UNRECOVERED_READ_ERROR);
    }

    @Test
    void compareAndWriteIsBothOrNeither() throws IOException {
        open(NvmeOptions.DEFAULT);
        DmaMemory zeros = filled(BLOCK, 0);
        DmaMemory sevens = filled(BLOCK, 7);
        NvmeCommand compare = NvmeCommand.compare(namespace, 3, 1).data(zeros);
        NvmeCommand write = NvmeCommand.write(namespace, 3, 1).data(sevens);
        queue.submitFused(compare, write).await(SOON);
        assertThatThrownBy(() -> queue.submitFused(compare, write).await(SOON))
                .isInstanceOfSatisfying(
                        NvmeException.class,
                        e -> assertThat(Status.code(e.status())).isEqualTo(Status.FAILED_FUSED));
        assertThat(status(NvmeCommand.compare(namespace, 3, 1).data(sevens))).isZero();
        assertThat(queue.room()).isEqualTo(8);
    }

    /** Writes from pieces, reads into one buffer, and the other way round. */
    @ParameterizedTest
    @CsvSource({"4096, 0, 4096, 0", "4096, 2048, 2048, 0", "512, 4, 512, 1024", "1024, 0, 3072, 12"})
    void piecesOfMemoryAreTransferredAsOne(int size1, int offset1, int size2, int offset2) throws IOException {
        open(NvmeOptions.DEFAULT);
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
        open(NvmeOptions.DEFAULT);
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
        open(NvmeOptions.DEFAULT);
        assertThat(status(NvmeCommand.of(Opcode.FLUSH).namespace(-1))).isZero();
        assertThat(status(NvmeCommand.of(0xc1).namespace(1).dword(12, 42))).isEqualTo(Status.INVALID_OPCODE);
        assertThatThrownBy(() -> NvmeCommand.of(0).dword(9, 1)).hasMessageContaining("10 to 15");
    }

    @Test
    void metadataHasABufferOfItsOwn() throws IOException {
        open(NvmeOptions.DEFAULT.withMetadata(new NvmeOptions.Metadata(8, false, 0)));
        DmaMemory data = filled(2 * BLOCK, 5);
        DmaMemory metadata = filled(16, 6);
        assertThatThrownBy(() -> queue.submit(NvmeCommand.write(namespace, 0, 2).data(data)))
                .hasMessageContaining("the metadata of 2 blocks");
        assertThatThrownBy(() -> queue.read(namespace, 0, data)).hasMessageContaining("the metadata of 2 blocks");
        assertThat(status(NvmeCommand.write(namespace, 0, 2).data(data).metadata(metadata)))
                .isZero();
        metadata.segment().fill((byte) 0);
        assertThat(status(NvmeCommand.read(namespace, 0, 2).data(data).metadata(metadata)))
                .isZero();
        assertThat(metadata.segment().toArray(ValueLayout.JAVA_BYTE)).containsOnly(6);
    }

    @Test
    void rangesAreDeallocatedAndCopied() throws IOException {
        open(NvmeOptions.DEFAULT);
        DmaMemory sevens = filled(8 * BLOCK, 7);
        assertThat(status(NvmeCommand.write(namespace, 0, 8).data(sevens))).isZero();
        for (boolean longTags : new boolean[] {false, true}) {
            NvmeCommand copy =
                    NvmeCommand.copy(namespace, 100, longTags).range(0, 2).range(6, 2);
            assertThat(status(copy)).isZero();
        }
        NvmeCommand trim = NvmeCommand.deallocate(namespace).range(1, 1).range(101, 3);
        assertThat(status(trim)).isZero();
        assertThat(firstByte(0)).isEqualTo(7);
        assertThat(firstByte(1)).isZero();
        assertThat(firstByte(100)).isEqualTo(7);
        assertThat(firstByte(103)).isZero();
        assertThat(status(trim.clearRanges().range(100, 1))).isZero();
        assertThat(firstByte(100)).isZero();
        assertThat(firstByte(0)).isEqualTo(7);
    }

    private int firstByte(long block) throws IOException {
        DmaMemory data = filled(BLOCK, 0x55);
        queue.read(namespace, block, data).await(SOON);
        return data.segment().get(ValueLayout.JAVA_BYTE, 0);
    }

    @Test
    void rangesThatTheCommandCannotHaveAreRefused() throws IOException {
        open(NvmeOptions.DEFAULT);
        NvmeCommand trim = NvmeCommand.deallocate(namespace);
        assertThatThrownBy(() -> queue.submit(trim)).hasMessageContaining("no range");
        assertThatThrownBy(() -> trim.range(namespace.blockCount() - 1, 2))
                .isInstanceOf(IndexOutOfBoundsException.class);
        for (int i = 0; i < 256; i++) {
            trim.range(i, 1);
        }
        assertThatThrownBy(() -> trim.range(256, 1)).hasMessageContaining("all 256 ranges");
        assertThat(status(trim)).isZero();
        assertThatThrownBy(() -> NvmeCommand.copy(namespace, 0, false).range(0, 0))
                .hasMessageContaining("1 to 65536");
        assertThatThrownBy(() -> NvmeCommand.read(namespace, 0, 1).range(0, 1)).hasMessageContaining("no ranges");
        assertThat(queue.room()).isEqualTo(8);
    }

    @Test
    void aReservationKeepsWhatItsHolderSaid() throws IOException {
        open(NvmeOptions.DEFAULT);
        DmaMemory page = filled(4096, 0xff);
        assertThat(status(ReservationCommand.register(namespace, Reservation.REGISTER, 0, 0x1234)))
                .isZero();
        assertThat(status(ReservationCommand.acquire(
                        namespace, Reservation.ACQUIRE, Reservation.WRITE_EXCLUSIVE, 0x1234, 0)))
                .isZero();
        assertThat(status(ReservationCommand.report(namespace, false, page))).isZero();
        ReservationReport report = ReservationReport.of(page.segment(), false);
        assertThat(report.type()).isEqualTo(Reservation.WRITE_EXCLUSIVE);
        assertThat(report.registrants()).singleElement().satisfies(host -> {
            assertThat(host.key()).isEqualTo(0x1234);
            assertThat(host.holder()).isTrue();
        });
        assertThat(status(
                        ReservationCommand.release(namespace, Reservation.RELEASE, Reservation.WRITE_EXCLUSIVE, 0x999)))
                .isEqualTo(Status.RESERVATION_CONFLICT);
        assertThat(status(ReservationCommand.release(
                        namespace, Reservation.RELEASE, Reservation.WRITE_EXCLUSIVE, 0x1234)))
                .isZero();
        assertThat(status(ReservationCommand.report(namespace, false, page))).isZero();
        assertThat(ReservationReport.of(page.segment(), false).type()).isZero();
    }

    @Test
    void aNamespaceSaysWhatItIs() throws IOException {
        open(NvmeOptions.DEFAULT.withMetadata(new NvmeOptions.Metadata(8, true, 2)));
        assertThat(namespace.protectionType()).isEqualTo(2);
        assertThat(namespace.hasExtendedBlocks()).isTrue();
        assertThat(namespace.zones()).isNull();
        assertThat(namespace.formats().get(namespace.formatIndex()))
                .returns(BLOCK, NvmeNamespace.Format::blockSizeBytes)
                .returns(8, NvmeNamespace.Format::metadataBytes);
        assertThatThrownBy(() -> ZoneCommand.sendToAll(namespace, Zone.RESET)).hasMessageContaining("has no zones");
    }
}
