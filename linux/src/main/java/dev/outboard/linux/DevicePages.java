package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory of a device, or shared with another process, mapped so that an access needs no check of liveness: its addresses
 * are good as long as this object is reachable. {@link #close} does not unmap it, but puts memory in its place: for a
 * device's registers what reads all ones, as a device does that was removed, for memory zeros. The addresses are given
 * back when this object is unreachable.
 *
 * <p>Whoever accesses it by address checks bounds, does not write what is mapped for reading only (that would end the
 * JVM), and keeps this object reachable through each access ({@link java.lang.ref.Reference#reachabilityFence}). Methods
 * may be called from any thread.
 */
public final class DevicePages implements AutoCloseable {
    private static final long ONES_BYTES = 2L << 20;

    /** What was closed is unmapped by the garbage collector, which must run before the kernel's 65,530 mappings are. */
    private static final int MOST_LEFT_OVER = 4096;

    private static final AtomicInteger leftOver = new AtomicInteger();

    private final String name;
    private final boolean writable;
    private final boolean onesWhenClosed;
    private final MemorySegment pages;
    private final AtomicBoolean closed;

    private DevicePages(String name, long address, long length, boolean writable, boolean onesWhenClosed) {
        this.name = name;
        this.writable = writable;
        this.onesWhenClosed = onesWhenClosed;
        AtomicBoolean closed = new AtomicBoolean();
        this.closed = closed;
        pages = MemorySegment.ofAddress(address)
                .reinterpret(length, Arena.ofAuto(), mapped -> unmap(mapped, closed.get()));
    }

    private static void unmap(MemorySegment mapped, boolean closed) {
        Libc.munmap(mapped.address(), mapped.byteSize());
        if (closed) {
            leftOver.decrementAndGet();
        }
    }

    /**
     * Maps a part of a device, which reads all ones once it is closed. {@code mmap(2)}, MAP_SHARED.
     *
     * @param file the device
     * @param offset the first byte, a multiple of the page size
     * @param length how many bytes, more than 0
     * @param writable whether it is mapped for writing, too
     * @return the mapping
     * @throws LinuxException if the kernel refuses
     */
    public static DevicePages map(Fd file, long offset, long length, boolean writable) throws LinuxException {
        return map(file, offset, length, writable, true);
    }

    /**
     * Maps a file in memory that is shared with a device, for reading and writing. It reads zeros once it is closed.
     * {@code mmap(2)}, MAP_SHARED.
     *
     * @param file the memory
     * @param offset the first byte, a multiple of the page size
     * @param length how many bytes, more than 0
     * @return the mapping
     * @throws LinuxException if the kernel refuses
     */
    public static DevicePages mapMemory(Fd file, long offset, long length) throws LinuxException {
        return map(file, offset, length, true, false);
    }

    private static DevicePages map(Fd file, long offset, long length, boolean writable, boolean onesWhenClosed)
            throws LinuxException {
        long address = Libc.mmap(0, length, protection(writable), Mman.MAP_SHARED, file.number(), offset);
        LinuxException.check(address, "mmap", file.name());
        return new DevicePages(file.name(), address, length, writable, onesWhenClosed);
    }

    private static int protection(boolean writable) {
        return writable ? Mman.PROT_READ | Mman.PROT_WRITE : Mman.PROT_READ;
    }

    /**
     * The mapping.
     *
     * @return a segment that can be accessed as long as it can be reached, closed or not; read-only if this is
     */
    public MemorySegment segment() {
        return writable ? pages : pages.asReadOnly();
    }

    /**
     * The mapping as memory that dies with an arena, which closes this then.
     *
     * @param arena whose segment it is
     * @return a segment that throws {@link IllegalStateException} when it is touched after that; read-only if this is
     */
    public MemorySegment segment(Arena arena) {
        MemorySegment segment = MemorySegment.ofAddress(address()).reinterpret(byteSize(), arena, gone -> close());
        return writable ? segment : segment.asReadOnly();
    }

    /**
     * Where it is.
     *
     * @return the address of its first byte, a multiple of the page size
     */
    public long address() {
        return pages.address();
    }

    /**
     * How much it is.
     *
     * @return bytes
     */
    public long byteSize() {
        return pages.byteSize();
    }

    /**
     * Whether it may be written.
     *
     * @return false if a write would end the JVM
     */
    public boolean isWritable() {
        return writable;
    }

    /** Lets go of the device or memory: from now on it reads all ones or zeros, and what is written reaches nobody. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            replace();
            if (leftOver.incrementAndGet() > MOST_LEFT_OVER) {
                System.gc();
            }
        }
    }

    /** In one step for each range, so that there is always something where another thread may be reading. */
    private void replace() {
        int protection = protection(writable);
        int flags = Mman.MAP_PRIVATE | Mman.MAP_FIXED | Mman.MAP_NORESERVE;
        if (!onesWhenClosed) {
            Libc.mmap(address(), byteSize(), protection, flags | Mman.MAP_ANONYMOUS, Mman.NO_FILE, 0);
            return;
        }
        long done = 0;
        try (Fd ones = ones(Math.min(ONES_BYTES, byteSize()))) {
            while (done < byteSize()) {
                long part = Math.min(ONES_BYTES, byteSize() - done);
                LinuxException.check(
                        Libc.mmap(address() + done, part, protection, flags, ones.number(), 0), "mmap", name);
                done += part;
            }
        } catch (LinuxException e) {
            // No memory, descriptor or mapping to be had: zeros need none, and a removed device may read as zeros too.
            Libc.mmap(address() + done, byteSize() - done, protection, flags | Mman.MAP_ANONYMOUS, Mman.NO_FILE, 0);
        }
    }

    private static Fd ones(long length) throws LinuxException {
        long wholePages = Math.ceilDiv(length, Mman.pageBytes()) * Mman.pageBytes();
        Fd file = Fd.memfd("outboard-closed-device", wholePages);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ones = arena.allocate(wholePages).fill((byte) -1);
            for (long done = 0; done < ones.byteSize(); ) {
                done += file.pwrite(ones.asSlice(done), done);
            }
            return file;
        } catch (LinuxException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public String toString() {
        return "mapping of " + byteSize() + " bytes of " + name;
    }
}
