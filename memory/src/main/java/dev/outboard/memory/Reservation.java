package dev.outboard.memory;

import dev.outboard.linux.LinuxException;
import dev.outboard.linux.ReservedPages;
import java.lang.foreign.MemorySegment;

/**
 * A range of addresses in which mappings are placed next to each other, so that one segment spans them: parts of several
 * files, or the same part twice, which makes a ring buffer without seam.
 *
 * <pre>{@code
 * try (var reservation = Reservation.reserve(2 * size)) {
 *     Mapping.of(memfd).readWrite().placeIn(reservation, 0);
 *     Mapping.of(memfd).readWrite().placeIn(reservation, size);
 *     MemorySegment ring = reservation.view(0, 2 * size); // byte i and byte size + i are the same
 * }
 * }</pre>
 *
 * <p>A mapping is never placed over another one; a place whose mapping was closed is reserved again. Methods may be
 * called from any thread.
 */
public final class Reservation implements AutoCloseable {
    private final ReservedPages pages;

    private Reservation(ReservedPages pages) {
        this.pages = pages;
    }

    /**
     * Reserves addresses. They take no memory, and touching them where nothing is placed is not possible.
     *
     * @param lengthBytes how many, a multiple of the page size, more than 0
     * @return the reservation
     * @throws LinuxException ENOMEM if there are not that many free addresses in a row
     */
    public static Reservation reserve(long lengthBytes) throws LinuxException {
        return new Reservation(ReservedPages.reserve(lengthBytes));
    }

    ReservedPages pages() {
        return pages;
    }

    /**
     * A segment across the mappings in a range; read-only if one of them is.
     *
     * @param at its first byte, from the start of the reservation
     * @param lengthBytes its length
     * @return a segment that dies when any mapping in the reservation is closed or protected otherwise
     * @throws IllegalStateException if there is a gap in the range
     * @throws IndexOutOfBoundsException if the range is not within the reservation
     */
    public MemorySegment view(long at, long lengthBytes) {
        return pages.view(at, lengthBytes);
    }

    /**
     * The length of the reservation.
     *
     * @return bytes
     */
    public long length() {
        return pages.byteSize();
    }

    /** Closes the mappings in it, and gives the addresses back. Closing twice is harmless. */
    @Override
    public void close() {
        pages.close();
    }
}
