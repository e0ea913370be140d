package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A range of addresses that nothing else in this process gets, and in which mappings are placed at fixed places, next to
 * each other: {@code mmap(2)} with MAP_FIXED, which would replace whatever is at an address. So it is used in here alone,
 * where the reservation knows what is where. A place that is given back stays reserved.
 *
 * <p>Methods may be called from any thread.
 */
public final class ReservedPages implements AutoCloseable {
    private static final int RESERVED = Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS | Mman.MAP_NORESERVE;

    private final long address;
    private final long length;
    /** By address. */
    private final NavigableMap<Long, Placed> placed = new TreeMap<>();

    private Arena views = Arena.ofShared();
    private boolean closed;

    private record Placed(Pages pages, long length) {}

    private ReservedPages(long address, long length) {
        this.address = address;
        this.length = length;
    }

    /**
     * Reserves addresses; they take no memory.
     *
     * @param length how many, a multiple of the page size
     * @return the reservation
     * @throws LinuxException ENOMEM if there are not that many free in a row
     */
    public static ReservedPages reserve(long length) throws LinuxException {
        checkWhole(length, "length of a reservation");
        if (length == 0) {
            throw new IllegalArgumentException("a reservation of 0 bytes; give at least a page");
        }
        long address = Libc.mmap(0, length, Mman.PROT_NONE, RESERVED, Mman.NO_FILE, 0);
        return new ReservedPages(
                LinuxException.check(address, "mmap", "a reservation of " + length + " bytes"), length);
    }

    /**
     * Maps something at a place of the reservation.
     *
     * @param at the place: bytes from the start of the reservation, a multiple of the page size
     * @param file what to map; null for anonymous memory
     * @param offset its first byte, a multiple of the page size
     * @param count how many bytes, a multiple of the page size
     * @param protection {@code PROT_} bits of {@link Mman}
     * @param flags {@code MAP_} flags of {@link Mman}
     * @return the pages; closing them reserves their place again
     * @throws LinuxException if the kernel refuses; the place is then still free
     * @throws IllegalStateException if something is there already
     */
    public synchronized Pages place(long at, @Nullable Fd file, long offset, long count, int protection, int flags)
            throws LinuxException {
        checkOpen();
        checkWhole(at, "place in a reservation");
        checkWhole(count, "length of a mapping in a reservation");
        Objects.checkFromIndexSize(at, count, length);
        long where = address + at;
        checkFree(where, count);
        String name = Pages.nameOf(file);
        try {
            Pages.mmap(where, file, offset, count, protection, flags | Mman.MAP_FIXED);
        } catch (LinuxException e) {
            // The kernel may have made room first. If it did, close the gap, but not over what somebody else put there.
            Libc.mmap(where, count, Mman.PROT_NONE, RESERVED | Mman.MAP_FIXED_NOREPLACE, Mman.NO_FILE, 0);
            throw e;
        }
        Pages pages = new Pages(name, where, count, protection, this);
        placed.put(where, new Placed(pages, count));
        return pages;
    }

    private void checkFree(long where, long count) {
        // The first that ends behind the start is the last that starts before the end.
        Map.Entry<Long, Placed> other = placed.lowerEntry(where + count);
        if (other != null && other.getKey() + other.getValue().length() > where) {
            long start = other.getKey() - address;
            throw new IllegalStateException(other.getValue().pages() + " is mapped at " + start + "…"
                    + (start + other.getValue().length() - 1) + " of the reservation; close it first");
        }
    }

    /**
     * A view across the mappings in a range; read-only if one of them is.
     *
     * @param at its first byte, from the start of the reservation
     * @param count its length in bytes
     * @return a segment that dies when any mapping in the reservation is closed or protected otherwise
     * @throws IllegalStateException if there is a gap in the range
     */
    public synchronized MemorySegment view(long at, long count) {
        checkOpen();
        Objects.checkFromIndexSize(at, count, length);
        boolean writable = true;
        long next = address + at;
        while (next < address + at + count) {
            Map.Entry<Long, Placed> here = placed.floorEntry(next);
            long end = here == null ? 0 : here.getKey() + here.getValue().length();
            if (here == null || end <= next || !here.getValue().pages().isReadable()) {
                throw new IllegalStateException("nothing that can be read is mapped at " + (next - address)
                        + " of the reservation; place a mapping there first");
            }
            writable &= here.getValue().pages().isWritable();
            next = end;
        }
        MemorySegment segment = MemorySegment.ofAddress(address + at).reinterpret(count, views, null);
        return writable ? segment : segment.asReadOnly();
    }

    /**
     * The length of the range.
     *
     * @return bytes
     */
    public long byteSize() {
        return length;
    }

    /** Before a mapping changes: afterwards, views could be of what is not there. */
    void endViews() {
        views.close();
        views = Arena.ofShared();
    }

    void release(long where) {
        Placed gone = placed.remove(where);
        if (gone != null) {
            Libc.mmap(where, gone.length(), Mman.PROT_NONE, RESERVED | Mman.MAP_FIXED, Mman.NO_FILE, 0);
        }
    }

    private static void checkWhole(long bytes, String what) {
        if (bytes < 0 || bytes % Mman.pageBytes() != 0) {
            throw new IllegalArgumentException(
                    "a " + what + " of " + bytes + " bytes; give a multiple of the page size, " + Mman.pageBytes());
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the reservation is closed");
        }
    }

    /** Closes all mappings in the reservation, the last place first, and gives the addresses back. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        for (Placed left : List.copyOf(placed.descendingMap().values())) {
            left.pages().close();
        }
        closed = true;
        views.close();
        Libc.munmap(address, length);
    }
}
