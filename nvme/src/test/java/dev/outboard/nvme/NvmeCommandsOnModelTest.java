package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Reservation;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.Zone;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The commands of the model, on a thread of this process; with those that few others have. */
class NvmeCommandsOnModelTest extends NvmeCommandsContract {
    private ServedModel model;

    @Override
    NvmeController open() throws IOException {
        return serve(NvmeOptions.DEFAULT);
    }

    private NvmeController serve(NvmeOptions options) throws IOException {
        model = ServedModel.start(options.withSizeBytes(8 << 20));
        return Nvme.open(model.address());
    }

    private void reopen(NvmeOptions options) throws IOException {
        closeController();
        stop();
        use(serve(options));
    }

    @AfterEach
    void stop() throws IOException {
        model.close();
    }

    @Test
    void blocksAreMadeUnreadable() throws IOException {
        assertThat(status(NvmeCommand.writeUncorrectable(namespace, 8, 1))).isZero();
        assertThat(status(NvmeCommand.verify(namespace, 8, 4))).isEqualTo(Status.UNRECOVERED_READ_ERROR);
    }

    @Test
    void compareAndWriteIsBothOrNeither() throws IOException {
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

    @Test
    void aReservationKeepsWhatItsHolderSaid() throws IOException {
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
        reopen(NvmeOptions.DEFAULT.withMetadata(new NvmeOptions.Metadata(8, true, 2)));
        assertThat(namespace.protectionType()).isEqualTo(2);
        assertThat(namespace.hasExtendedBlocks()).isTrue();
        assertThat(namespace.zones()).isNull();
        assertThat(namespace.formats().get(namespace.formatIndex()))
                .returns(BLOCK, NvmeNamespace.Format::blockSizeBytes)
                .returns(8, NvmeNamespace.Format::metadataBytes);
        assertThatThrownBy(() -> ZoneCommand.sendToAll(namespace, Zone.RESET)).hasMessageContaining("has no zones");
    }
}
