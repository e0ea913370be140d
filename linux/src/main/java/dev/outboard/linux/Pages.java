package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Mapped pages that this process owns, and that can be protected otherwise, grow, shrink and move: {@code mmap(2)},
 * {@code mprotect(2)}, {@code mremap(2)}, {@code msync(2)}, {@code mlock(2)}, {@code madvise(2)}.
 *
 * <p>The segment over the pages dies before they change, so that no access hits what is not there any more: after
 * {@link #protect}, {@link #remap} and {@link #close}, whether they succeed or not, every segment that was got before
 * throws {@link IllegalStateException} when it is touched. Methods may be called from any thread; segments may be used
 * by any.
 */
public final class Pages implements AutoCloseable {
    private final String name;
    private final @Nullable ReservedPages reservation;
    // A reservation's own lock guards all that is placed in it: views span several.
    private final Object lock;
    private long address;
    private volatile long length;
    private int protection;
    private Arena arena = Arena.ofShared();
    private volatile @Nullable MemorySegment segment;
    private volatile boolean closed;

    Pages(String name, long address, long length, int protection, @Nullable ReservedPages reservation) {
        this.name = name;
        this.address = address;
        this.length = length;
        this.protection = protection;
        this.reservation = reservation;
        this.lock = reservation == null ? this : reservation;
        show();
    }

    /**
     * Maps a file, a device or anonymous memory. {@code mmap(2)}.
     *
     * @param file what to map; null for anonymous memory
     * @param offset the first byte, a multiple of the page size
     * @param length how many bytes, more than 0
     * @param protection {@code PROT_} bits of {@link Mman}
     * @param flags {@code MAP_} flags of {@link Mman}; for anonymous memory MAP_ANONYMOUS is added
     * @return the pages
     * @throws LinuxException if the kernel refuses
     */
    public static Pages map(@Nullable Fd file, long offset, long length, int protection, int flags)
            throws LinuxException {
        String name = nameOf(file);
        return new Pages(name, mmap(0, file, offset, length, protection, flags), length, protection, null);
    }

    static long mmap(long where, @Nullable Fd file, long offset, long length, int protection, int flags)
            throws LinuxException {
        int fd = file == null ? Mman.NO_FILE : file.number();
        int all = file == null ? flags | Mman.MAP_ANONYMOUS : flags;
        return LinuxException.check(Libc.mmap(where, length, protection, all, fd, offset), "mmap", nameOf(file));
    }

    static String nameOf(@Nullable Fd file) {
        return file == null ? "anonymous memory" : file.name();
    }

    private void show() {
        if (protection == Mman.PROT_NONE) {
            segment = null;
        } else {
            MemorySegment whole = MemorySegment.ofAddress(address).reinterpret(length, arena, null);
            segment = (protection & Mman.PROT_WRITE) == 0 ? whole.asReadOnly() : whole;
        }
    }

    /**
     * The pages' memory; read-only if they are.
     *
     * @return a segment that dies when the pages are protected otherwise, remapped or closed
     * @throws IllegalStateException if they are closed, or cannot be read as they are protected
     */
    public MemorySegment segment() {
        MemorySegment current = segment;
        if (current == null) {
            checkOpen();
            throw new IllegalStateException(name + " is mapped with no access; protect it otherwise first");
        }
        return current;
    }

    /**
     * How many bytes are mapped.
     *
     * @return the length that was asked for, which need not be whole pages
     */
    public long byteSize() {
        return length;
    }

    /**
     * Allows other accesses. {@code mprotect(2)}. Segments got before die.
     *
     * @param protection {@code PROT_} bits of {@link Mman}
     * @throws LinuxException EACCES if what is mapped was not opened for that
     */
    public void protect(int protection) throws LinuxException {
        synchronized (lock) {
            checkOpen();
            renew(() -> {
                LinuxException.check(MemoryCalls.mprotect(address, length, protection), "mprotect", name);
                this.protection = protection;
            });
        }
    }

    /**
     * Makes the mapping longer or shorter, and moves it if it has to. {@code mremap(2)}. Segments got before die.
     *
     * @param newLength the new length in bytes, more than 0
     * @throws LinuxException ENOMEM if there is no room
     * @throws IllegalStateException if the pages are in a reservation, where their neighbours depend on their place
     */
    public void remap(long newLength) throws LinuxException {
        synchronized (lock) {
            checkOpen();
            if (newLength <= 0) {
                throw new IllegalArgumentException(
                        "a mapping of " + newLength + " bytes; give more than 0, or close it");
            }
            if (reservation != null) {
                throw new IllegalStateException(
                        name + " has a fixed place in a reservation; close it and place it anew in the length wanted");
            }
            renew(() -> {
                long moved = MemoryCalls.mremap(address, length, newLength, Mman.MREMAP_MAYMOVE);
                address = LinuxException.check(moved, "mremap", name);
                length = newLength;
            });
        }
    }

    private interface Change {
        void make() throws LinuxException;
    }

    private void renew(Change change) throws LinuxException {
        endSegments();
        segment = null;
        try {
            change.make();
        } finally {
            arena = Arena.ofShared();
            show();
        }
    }

    private void endSegments() {
        if (reservation != null) {
            reservation.endViews();
        }
        arena.close();
    }

    /**
     * Writes a range back. {@code msync(2)}.
     *
     * @param from its first byte; the page that this is in counts as a whole
     * @param count its length in bytes
     * @param flags {@code MS_} flags of {@link Mman}
     * @throws LinuxException EIO if it cannot be written
     */
    public void msync(long from, long count, int flags) throws LinuxException {
        synchronized (lock) {
            long start = startOfPage(from, count);
            LinuxException.check(MemoryCalls.msync(start, address + from + count - start, flags), "msync", name);
        }
    }

    /**
     * Keeps a range in memory. {@code mlock(2)}.
     *
     * @param from its first byte
     * @param count its length in bytes
     * @throws LinuxException ENOMEM or EPERM if that is more than this user may lock
     */
    public void mlock(long from, long count) throws LinuxException {
        synchronized (lock) {
            long start = startOfPage(from, count);
            int result = MemoryCalls.mlock(start, address + from + count - start);
            try {
                LinuxException.check(result, "mlock", name);
            } catch (LinuxException e) {
                throw LockedMemory.explain(e, count);
            }
        }
    }

    /**
     * Undoes {@link #mlock}. {@code munlock(2)}.
     *
     * @param from the first byte
     * @param count the length in bytes
     * @throws LinuxException if the kernel refuses
     */
    public void munlock(long from, long count) throws LinuxException {
        synchronized (lock) {
            long start = startOfPage(from, count);
            LinuxException.check(MemoryCalls.munlock(start, address + from + count - start), "munlock", name);
        }
    }

    /**
     * Says how a range will be used. {@code madvise(2)}.
     *
     * @param from its first byte, a multiple of the page size
     * @param count its length in bytes; the last page counts as a whole
     * @param advice a {@code MADV_} constant of {@link Mman}
     * @throws LinuxException EINVAL if the kernel does not know the advice, or it does not fit what is mapped
     */
    public void madvise(long from, long count, int advice) throws LinuxException {
        synchronized (lock) {
            checkRange(from, count);
            LinuxException.check(MemoryCalls.madvise(address + from, count, advice), "madvise", name);
        }
    }

    private long startOfPage(long from, long count) {
        checkRange(from, count);
        return (address + from) & -Mman.pageBytes();
    }

    private void checkRange(long from, long count) {
        checkOpen();
        Objects.checkFromIndexSize(from, count, length);
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the mapping of " + name + " is closed");
        }
    }

    /**
     * Whether the pages are still mapped.
     *
     * @return false once they were closed
     */
    public boolean isOpen() {
        return !closed;
    }

    /** Unmaps the pages; in a reservation their place is reserved again. Closing twice is harmless. */
    @Override
    public void close() {
        synchronized (lock) {
            if (closed) {
                return;
            }
            endSegments();
            closed = true;
            segment = null;
            if (reservation == null) {
                Libc.munmap(address, length);
            } else {
                reservation.release(address);
            }
        }
    }

    boolean isWritable() {
        return (protection & Mman.PROT_WRITE) != 0;
    }

    boolean isReadable() {
        return protection != Mman.PROT_NONE;
    }

    @Override
    public String toString() {
        return name;
    }
}
