package dev.outboard.emulation.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Reservation;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reservations, by hosts that take turns at the one controller. */
class NvmeReservationsTest extends NvmeTestBase {
    private static final long ALICE = 0xa;
    private static final long BOB = 0xb;
    private static final long CAROL = 0xc;
    private static final int IGNORE_KEY = 1 << 3;

    private int keys(int opcode, int dword10, long current, long other) throws IOException {
        word(DATA, current);
        word(DATA + 8, other);
        return status(new Command(opcode).namespace(1).prp1(DATA).dwords(dword10));
    }

    private int register(long host, long key) throws IOException {
        setHost(host);
        return keys(Opcode.RESERVATION_REGISTER, Reservation.REGISTER, 0, key);
    }

    private int acquire(long key, int type) throws IOException {
        return keys(Opcode.RESERVATION_ACQUIRE, Reservation.ACQUIRE | type << 8, key, 0);
    }

    private int release(long key, int type) throws IOException {
        return keys(Opcode.RESERVATION_RELEASE, Reservation.RELEASE | type << 8, key, 0);
    }

    private int read() throws IOException {
        return status(TestDriver.read(0, 1).prp1(OTHER));
    }

    private int write() throws IOException {
        return status(TestDriver.write(0, 1).prp1(OTHER));
    }

    private StructView report() throws IOException {
        assertThat(status(new Command(Opcode.RESERVATION_REPORT)
                        .namespace(1)
                        .prp1(DATA)
                        .dwords(1023, 0)))
                .isZero();
        return Reservation.STATUS.view(driver.at(DATA, PAGE));
    }

    // Whether a host that is registered, and one that is not, may read and write.
    @ParameterizedTest
    @CsvSource({
        "1, true, false, true, false",
        "2, false, false, false, false",
        "3, true, true, true, false",
        "4, true, true, false, false",
        "5, true, true, true, false",
        "6, true, true, false, false"
    })
    void othersMayDoWhatTheTypeSays(
            int type, boolean registeredReads, boolean registeredWrites, boolean otherReads, boolean otherWrites)
            throws IOException {
        assertThat(register(BOB, 2)).isZero();
        assertThat(register(ALICE, 1)).isZero();
        assertThat(acquire(1, type)).isZero();
        assertThat(read()).isZero();
        assertThat(write()).isZero();
        setHost(BOB);
        assertThat(read()).isEqualTo(registeredReads ? 0 : Status.RESERVATION_CONFLICT);
        assertThat(write()).isEqualTo(registeredWrites ? 0 : Status.RESERVATION_CONFLICT);
        setHost(CAROL);
        assertThat(read()).isEqualTo(otherReads ? 0 : Status.RESERVATION_CONFLICT);
        assertThat(write()).isEqualTo(otherWrites ? 0 : Status.RESERVATION_CONFLICT);
        assertThat(adminStatus(new Command(Opcode.FORMAT_NVM).namespace(1))).isEqualTo(Status.RESERVATION_CONFLICT);
        setHost(ALICE);
        assertThat(release(1, type)).isZero();
        setHost(CAROL);
        assertThat(write()).isZero();
    }

    @Test
    void keysAreChecked() throws IOException {
        setHost(ALICE);
        assertThat(acquire(1, Reservation.WRITE_EXCLUSIVE)).as("not registered").isEqualTo(Status.RESERVATION_CONFLICT);
        assertThat(register(ALICE, 1)).isZero();
        assertThat(register(ALICE, 2)).isEqualTo(Status.RESERVATION_CONFLICT);
        assertThat(keys(Opcode.RESERVATION_REGISTER, Reservation.REPLACE, 7, 2)).isEqualTo(Status.RESERVATION_CONFLICT);
        assertThat(keys(Opcode.RESERVATION_REGISTER, Reservation.REPLACE, 1, 2)).isZero();
        assertThat(keys(Opcode.RESERVATION_REGISTER, Reservation.REPLACE | IGNORE_KEY, 9, 3))
                .isZero();
        assertThat(acquire(2, Reservation.WRITE_EXCLUSIVE)).isEqualTo(Status.RESERVATION_CONFLICT);
        assertThat(acquire(3, 7)).isEqualTo(Status.INVALID_FIELD);
        assertThat(acquire(3, Reservation.WRITE_EXCLUSIVE)).isZero();
        assertThat(release(3, Reservation.EXCLUSIVE_ACCESS)).isEqualTo(Status.INVALID_FIELD);
        assertThat(keys(Opcode.RESERVATION_REGISTER, Reservation.UNREGISTER, 3, 0))
                .isZero();
        assertThat(report().get("rtype")).as("the holder left").isZero();
    }

    @Test
    void aReservationIsPreempted() throws IOException {
        assertThat(register(ALICE, 1)).isZero();
        assertThat(acquire(1, Reservation.EXCLUSIVE_ACCESS)).isZero();
        assertThat(register(BOB, 2)).isZero();
        assertThat(acquire(2, Reservation.WRITE_EXCLUSIVE)).isEqualTo(Status.RESERVATION_CONFLICT);
        int preempt = Reservation.PREEMPT | Reservation.WRITE_EXCLUSIVE << 8;
        assertThat(keys(Opcode.RESERVATION_ACQUIRE, preempt, 2, 9)).isEqualTo(Status.RESERVATION_CONFLICT);
        assertThat(keys(Opcode.RESERVATION_ACQUIRE, preempt, 2, 1)).isZero();
        assertThat(write()).isZero();
        StructView report = report();
        assertThat(report.get("rtype")).isEqualTo(Reservation.WRITE_EXCLUSIVE);
        assertThat(report.get("regctl")).isEqualTo(1);
        StructView bob = Reservation.REGISTRANT.view(driver.at(DATA + 24, 24));
        assertThat(bob.get("hostid")).isEqualTo(BOB);
        assertThat(bob.get("rkey")).isEqualTo(2);
        assertThat(bob.get("rcsts")).isEqualTo(Reservation.HOLDER);
        assertThat(keys(Opcode.RESERVATION_RELEASE, Reservation.CLEAR, 2, 0)).isZero();
        assertThat(report().get("regctl")).isZero();
    }

    @Test
    void reservationsOutliveResets() throws IOException {
        assertThat(register(ALICE, 1)).isZero();
        assertThat(acquire(1, Reservation.WRITE_EXCLUSIVE)).isZero();
        reset();
        setHost(BOB);
        assertThat(write()).isEqualTo(Status.RESERVATION_CONFLICT);
        setHost(ALICE);
        assertThat(write()).isZero();
    }

    @Test
    void aHostWithoutANameLosesItsRegistrationAtAReset() throws IOException {
        assertThat(keys(Opcode.RESERVATION_REGISTER, Reservation.REGISTER, 0, 5))
                .isZero();
        assertThat(acquire(5, Reservation.WRITE_EXCLUSIVE)).isZero();
        reset();
        assertThat(report().get("regctl")).isZero();
        assertThat(write()).isZero();
    }

    @Test
    void longNamesNeedTheLongReport() throws IOException {
        word(DATA, 1);
        word(DATA + 8, 2);
        assertThat(adminStatus(new Command(Opcode.SET_FEATURES).prp1(DATA).dwords(Feature.HOST_IDENTIFIER, 1)))
                .isZero();
        assertThat(keys(Opcode.RESERVATION_REGISTER, Reservation.REGISTER | 3 << 30, 0, 5))
                .isZero();
        Command report = new Command(Opcode.RESERVATION_REPORT).namespace(1).prp1(DATA);
        assertThat(status(report.dwords(1023, 0))).isEqualTo(Status.HOST_ID_INCONSISTENT);
        assertThat(status(report.dwords(1023, 1))).isZero();
        assertThat(Reservation.STATUS.view(driver.at(DATA, 64)).get("ptpls")).isEqualTo(1);
        StructView registrant = Reservation.EXTENDED_REGISTRANT.view(driver.at(DATA + 64, 64));
        assertThat(registrant.get("rkey")).isEqualTo(5);
        assertThat(word(DATA + 64 + 16)).isEqualTo(1);
        assertThat(word(DATA + 64 + 24)).isEqualTo(2);
    }
}
