package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class ReservationTest {
    private static final long PAGE = Mman.pageBytes();

    @Test
    void theSamePagesTwiceAreARingWithoutSeam() throws IOException {
        try (Fd memfd = Fd.memfd("ring", PAGE);
                Reservation reservation = Reservation.reserve(2 * PAGE)) {
            Mapping.of(memfd).readWrite().placeIn(reservation, 0);
            Mapping.of(memfd).readWrite().placeIn(reservation, PAGE);
            MemorySegment ring = reservation.view(0, 2 * PAGE);
            ring.set(JAVA_INT.withByteAlignment(1), PAGE - 2, 0x0102_0304);
            assertThat(ring.get(JAVA_INT.withByteAlignment(1), PAGE - 2)).isEqualTo(0x0102_0304);
            assertThat(ring.get(JAVA_INT, 0)).isEqualTo(0x0102);
        }
    }

    @Test
    void nothingIsPlacedOverAMapping() throws IOException {
        try (Reservation reservation = Reservation.reserve(4 * PAGE);
                Fd memfd = Fd.memfd("neighbour", 3 * PAGE)) {
            Mapping there = Mapping.anonymous(2 * PAGE).placeIn(reservation, PAGE);
            there.segment().set(JAVA_INT, 0, 42);
            for (long at = 0; at < 2; at++) {
                long place = at * PAGE;
                assertThatIllegalStateException()
                        .isThrownBy(() -> Mapping.of(memfd).placeIn(reservation, place))
                        .withMessageContaining("anonymous memory is mapped at " + PAGE);
            }
            assertThat(there.segment().get(JAVA_INT, 0)).isEqualTo(42);
            Mapping.of(memfd).length(PAGE).placeIn(reservation, 0);
            Mapping.of(memfd).length(PAGE).placeIn(reservation, 3 * PAGE);
            assertThat(reservation.view(0, 4 * PAGE).isReadOnly()).isTrue();
            assertThat(reservation.view(PAGE, 2 * PAGE).isReadOnly()).isFalse();
        }
    }

    @Test
    void aPlaceThatIsGivenBackStaysReserved() throws IOException {
        try (Reservation reservation = Reservation.reserve(3 * PAGE)) {
            Mapping first = Mapping.anonymous(PAGE).placeIn(reservation, 0);
            Mapping second = Mapping.anonymous(PAGE).placeIn(reservation, PAGE);
            second.segment().set(JAVA_INT, 0, 7);
            MemorySegment view = reservation.view(0, 2 * PAGE);
            long address = second.segment().address();
            second.close();
            assertThatIllegalStateException().isThrownBy(() -> view.get(JAVA_INT, 0));
            assertThatIllegalStateException()
                    .isThrownBy(() -> reservation.view(0, 2 * PAGE))
                    .withMessageContaining("nothing that can be read is mapped at " + PAGE);
            assertThat(KernelMaps.protectionAt(address)).isEqualTo("---p");
            Mapping again = Mapping.anonymous(2 * PAGE).placeIn(reservation, PAGE);
            assertThat(again.segment().get(JAVA_INT, 0)).isZero();
            assertThat(again.segment().address()).isEqualTo(address);
            assertThat(first.isOpen()).isTrue();
        }
    }

    @Test
    void aPlaceWhoseMappingIsRefusedStaysReserved() throws IOException {
        try (Reservation reservation = Reservation.reserve(2 * PAGE);
                Fd readOnly = Fd.open("/proc/self/exe", Fd.O_RDONLY)) {
            Mapping marker = Mapping.anonymous(PAGE).placeIn(reservation, 0);
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(
                            () -> Mapping.of(readOnly).readWrite().length(PAGE).placeIn(reservation, PAGE))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EACCES));
            assertThat(KernelMaps.protectionAt(marker.segment().address() + PAGE))
                    .isEqualTo("---p");
            Mapping.anonymous(PAGE).placeIn(reservation, PAGE);
        }
    }

    @Test
    void aPlacedMappingIsProtectedButNotMoved() throws IOException {
        try (Reservation reservation = Reservation.reserve(2 * PAGE)) {
            Mapping placed = Mapping.anonymous(PAGE).placeIn(reservation, 0);
            MemorySegment view = reservation.view(0, PAGE);
            placed.protect(Protection.READ_ONLY);
            assertThatIllegalStateException().isThrownBy(() -> view.set(JAVA_INT, 0, 1));
            assertThat(reservation.view(0, PAGE).isReadOnly()).isTrue();
            assertThatIllegalStateException()
                    .isThrownBy(() -> placed.remap(2 * PAGE))
                    .withMessageContaining("place it anew");
            assertThat(placed.segment().byteSize()).isEqualTo(PAGE);
        }
    }

    @Test
    void closingAReservationClosesWhatIsInIt() throws IOException {
        Reservation reservation = Reservation.reserve(2 * PAGE);
        Mapping placed = Mapping.anonymous(PAGE).placeIn(reservation, 0);
        reservation.close();
        reservation.close();
        assertThat(placed.isOpen()).isFalse();
        placed.close();
        assertThatIllegalStateException().isThrownBy(() -> reservation.view(0, 1));
        assertThatIllegalStateException()
                .isThrownBy(() -> Mapping.anonymous(PAGE).placeIn(reservation, 0));
    }
}
