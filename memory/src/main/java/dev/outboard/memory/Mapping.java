package dev.outboard.memory;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.linux.Pages;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Mapped memory: of a file, a device, or of no file. {@code mmap(2)} and what changes mappings.
 *
 * <pre>{@code
 * try (var mapping = Mapping.file(path).readWrite().offset(4096).map()) {
 *     mapping.segment().set(JAVA_INT, 0, 42);
 *     mapping.sync();
 * }
 * }</pre>
 *
 * <p>Methods may be called from any thread, and the segment used by any. A segment dies when the mapping is closed,
 * protected otherwise or remapped (also if that fails): touching it then is an {@link IllegalStateException}. Device
 * registers are not for segments but for {@link Registers}. Never hand the segment of a file or device to a C function:
 * if the file is truncated meanwhile, its SIGBUS ends the process; in Java it is an error that {@link #access} explains.
 */
public final class Mapping implements AutoCloseable {
    private final Pages pages;
    /** To know where the file ends; null if it has no end. */
    private final @Nullable Fd file;

    private final MappingOptions options;
    private final long offset;
    /** Bytes of the first page that are before the offset. */
    private final long lead;

    private volatile Protection protection;

    Mapping(Pages pages, @Nullable Fd file, MappingOptions options, long offset, long lead) {
        this.pages = pages;
        this.file = file;
        this.options = options;
        this.offset = offset;
        this.lead = lead;
        this.protection = options.protection();
    }

    /**
     * Begins a mapping of a file or a device, opened for what the options need.
     *
     * @param path its path
     * @return options: shared, for reading, the whole of it
     */
    public static MappingOptions file(Path path) {
        return MappingOptions.ofFile(options -> Fd.open(path.toString(), options.openFlags()));
    }

    /**
     * Begins a mapping of what a descriptor stands for: a file, a memfd, a device such as a VFIO device or /dev/mem.
     *
     * @param descriptor the descriptor, open for what the options need; it can be closed once it is mapped
     * @return options: shared, for reading, the whole of it
     */
    public static MappingOptions of(Fd descriptor) {
        return MappingOptions.ofFile(options -> descriptor.duplicate());
    }

    /**
     * Begins a mapping of no file, zeroed.
     *
     * @param lengthBytes its length, more than 0
     * @return options: private, for reading and writing
     */
    public static MappingOptions anonymous(long lengthBytes) {
        return MappingOptions.anonymous(lengthBytes);
    }

    /**
     * Begins a mapping of a new file that lives in memory, zeroed, and that grows and shrinks with the mapping. To pass
     * its descriptor to others, create it with {@link Fd#memfd(String, long)} and map it with {@link #of}.
     *
     * @param name its name, as shown in /proc
     * @param lengthBytes its length, more than 0
     * @return options: shared, for reading and writing
     */
    public static MappingOptions memfd(String name, long lengthBytes) {
        return MappingOptions.memfd(name, lengthBytes);
    }

    /**
     * The memory; read-only if the mapping is.
     *
     * @return a segment of {@link #length} bytes, whose first byte is the one at the offset
     * @throws IllegalStateException if the mapping is closed, or allows no access
     */
    public MemorySegment segment() {
        MemorySegment whole = pages.segment();
        return lead == 0 ? whole : whole.asSlice(lead);
    }

    /**
     * How many bytes are mapped.
     *
     * @return the length
     */
    public long length() {
        return pages.byteSize() - lead;
    }

    /**
     * Where in the file the mapping begins.
     *
     * @return bytes
     */
    public long offset() {
        return offset;
    }

    /**
     * Which accesses it allows.
     *
     * @return the protection
     */
    public Protection protection() {
        return protection;
    }

    /**
     * Whether it is mapped.
     *
     * @return false once it was closed
     */
    public boolean isOpen() {
        return pages.isOpen();
    }

    /**
     * Runs accesses to the memory, and explains a fault. For a file that others may truncate, and for a device that may
     * go away. The error comes a little after the fault, and until then what was loaded is any bit pattern, even one that
     * a byte does not have: so the body must not use it as an index, nor box it, which is one, but return it.
     *
     * @param body touches the segment
     * @return what it returns
     * @throws MappingFaultException if part of what it touches is not there any more
     */
    public long access(LongSupplier body) {
        try {
            long result = body.getAsLong();
            Faults.settle();
            return result;
        } catch (InternalError e) {
            throw fault(e);
        }
    }

    MappingFaultException fault(InternalError e) {
        return new MappingFaultException(
                "part of the mapping of " + pages + " is not there any more: " + Faults.reason(file, offset + length()),
                e);
    }

    /**
     * Allows other accesses. Segments got before die.
     *
     * @param allowed the accesses
     * @throws LinuxException EACCES if the file was not opened for that
     */
    public synchronized void protect(Protection allowed) throws LinuxException {
        pages.protect(allowed.bits());
        protection = allowed;
    }

    /**
     * Makes the mapping longer or shorter; it may move. Segments got before die. A file stays as long as it is, apart
     * from a memfd that belongs to the mapping.
     *
     * @param lengthBytes the new length; 0 for a file: to its end
     * @throws LinuxException ENOMEM if there is no room
     * @throws IllegalArgumentException if it is past the end of the file
     * @throws IllegalStateException if the mapping is in a reservation, or closed
     * @throws UnsupportedOperationException if shared anonymous memory would grow: there is nothing behind that
     */
    public synchronized void remap(long lengthBytes) throws LinuxException {
        if (lengthBytes < 0) {
            throw new IllegalArgumentException("a length of " + lengthBytes + " bytes; give more than 0");
        }
        long before = length();
        if (options.cannotGrow() && lengthBytes > before) {
            throw new UnsupportedOperationException("shared anonymous memory cannot grow; map a memfd instead");
        }
        if (file == null) {
            pages.remap(lengthBytes == 0 ? 0 : Math.addExact(lengthBytes, lead));
        } else if (options.growsItsFile()) {
            resizeOwn(file, before, lengthBytes);
        } else {
            pages.remap(FileEnd.of(file).lengthWithin(offset, lengthBytes) + lead);
        }
    }

    private void resizeOwn(Fd own, long before, long after) throws LinuxException {
        if (after == 0) {
            throw new IllegalArgumentException("a mapping of 0 bytes; give more than 0, or close it");
        }
        long end = Math.addExact(offset, after);
        if (after < before) {
            // In this order no page is ever mapped with nothing behind it.
            pages.remap(lead + after);
            own.truncate(end);
            return;
        }
        long fileBefore = FileEnd.of(own).bytes();
        own.truncate(end);
        try {
            pages.remap(lead + after);
        } catch (LinuxException e) {
            own.truncate(fileBefore);
            throw e;
        }
    }

    @Nullable
    Fd descriptor() {
        return file;
    }

    /**
     * Writes everything back to the file, and waits for it.
     *
     * @throws LinuxException EIO if it cannot be written
     */
    public void sync() throws LinuxException {
        sync(0, length());
    }

    /**
     * Writes a range back to the file, and waits for it.
     *
     * @param from its first byte; the page that it is in counts as a whole
     * @param lengthBytes its length
     * @throws LinuxException EIO if it cannot be written
     * @throws IndexOutOfBoundsException if the range is not within the mapping
     */
    public void sync(long from, long lengthBytes) throws LinuxException {
        checkRange(from, lengthBytes);
        pages.msync(lead + from, lengthBytes, Mman.MS_SYNC);
    }

    /**
     * Keeps a range in memory until {@link #unlock} or {@link #close}.
     *
     * @param from its first byte
     * @param lengthBytes its length; the pages that it touches count as a whole
     * @throws LinuxException ENOMEM or EPERM if that is more than this user may lock
     * @throws IndexOutOfBoundsException if the range is not within the mapping
     */
    public void lock(long from, long lengthBytes) throws LinuxException {
        checkRange(from, lengthBytes);
        pages.mlock(lead + from, lengthBytes);
    }

    /**
     * Undoes {@link #lock}.
     *
     * @param from the first byte
     * @param lengthBytes the length
     * @throws LinuxException if the kernel refuses
     * @throws IndexOutOfBoundsException if the range is not within the mapping
     */
    public void unlock(long from, long lengthBytes) throws LinuxException {
        checkRange(from, lengthBytes);
        pages.munlock(lead + from, lengthBytes);
    }

    /**
     * Says how a range will be used. Only whole pages are advised, as some advice drops what they hold.
     *
     * @param advice how
     * @param from the first byte of a page
     * @param lengthBytes the length: whole pages, or up to the end
     * @throws LinuxException EINVAL if the advice does not fit this kernel or this kind of mapping
     * @throws IllegalArgumentException if it is not whole pages
     * @throws IndexOutOfBoundsException if the range is not within the mapping
     */
    public void advise(Advice advice, long from, long lengthBytes) throws LinuxException {
        checkRange(from, lengthBytes);
        long page = Mman.pageBytes();
        long start = from == 0 ? 0 : lead + from;
        long end = lead + from + lengthBytes;
        if (start % page != 0 || (end % page != 0 && from + lengthBytes != length())) {
            throw new IllegalArgumentException(lengthBytes + " bytes at " + from
                    + " are not whole pages; give multiples of the page size, " + page);
        }
        pages.madvise(start, end - start, advice.number());
    }

    /**
     * Faults all pages in, for the accesses that the mapping allows. Linux 5.14.
     *
     * @throws LinuxException EFAULT if part of a file is not there any more, ENOMEM if memory is short
     */
    public void populate() throws LinuxException {
        advise(protection.isWritable() ? Advice.POPULATE_WRITE : Advice.POPULATE_READ, 0, length());
    }

    private void checkRange(long from, long lengthBytes) {
        Objects.checkFromIndexSize(from, lengthBytes, length());
    }

    /** Unmaps the memory; what was written to a file reaches it without. Closing twice is harmless. */
    @Override
    public void close() {
        pages.close();
        if (file != null) {
            file.close();
        }
    }

    @Override
    public String toString() {
        return "mapping of " + length() + " bytes of " + pages + " at " + offset + (isOpen() ? "" : " (closed)");
    }
}
