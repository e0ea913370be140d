package dev.outboard.memory;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.linux.Pages;
import org.jspecify.annotations.Nullable;

/**
 * What to map and how; {@link Mapping} starts one, {@link #map} or {@link #placeIn} ends it. Each method returns new
 * options, so that some can be kept and used again. {@code mmap(2)}.
 */
public final class MappingOptions {
    /** What is mapped. */
    interface Source {
        /** Opens it: null for anonymous memory. The caller closes it. */
        @Nullable
        Fd open(MappingOptions options) throws LinuxException;
    }

    private final Source source;
    private final boolean anonymous;
    private final boolean memfd;
    private boolean growsItsFile;
    private Protection protection;
    private boolean shared;
    private long offset;
    private long length;
    private int flags;
    private long hugePageBytes;

    /** Files: shared, for reading, whole. */
    static MappingOptions ofFile(Source source) {
        return new MappingOptions(source, false, false, Protection.READ_ONLY, true, 0);
    }

    static MappingOptions anonymous(long length) {
        positive(length);
        return new MappingOptions(options -> null, true, false, Protection.READ_WRITE, false, length);
    }

    static MappingOptions memfd(String name, long length) {
        positive(length);
        Source source = options -> Fd.memfd(name, options.length, options.hugePageBytes);
        return new MappingOptions(source, false, true, Protection.READ_WRITE, true, length);
    }

    private MappingOptions(
            Source source, boolean anonymous, boolean memfd, Protection protection, boolean shared, long length) {
        this.source = source;
        this.anonymous = anonymous;
        this.memfd = memfd;
        this.growsItsFile = memfd;
        this.protection = protection;
        this.shared = shared;
        this.length = length;
    }

    private MappingOptions copy() {
        MappingOptions copy = new MappingOptions(source, anonymous, memfd, protection, shared, length);
        copy.growsItsFile = growsItsFile;
        copy.offset = offset;
        copy.flags = flags;
        copy.hugePageBytes = hugePageBytes;
        return copy;
    }

    private static void positive(long length) {
        if (length <= 0) {
            throw new IllegalArgumentException("memory of " + length + " bytes; give more than 0");
        }
    }

    /**
     * Which accesses are allowed. Files are mapped for reading unless told, memory for reading and writing.
     *
     * @param allowed the accesses
     * @return new options
     */
    public MappingOptions protection(Protection allowed) {
        MappingOptions copy = copy();
        copy.protection = allowed;
        return copy;
    }

    /**
     * For reading and writing.
     *
     * @return new options
     */
    public MappingOptions readWrite() {
        return protection(Protection.READ_WRITE);
    }

    /**
     * Writes reach the file, and everyone who maps it. So are files and memfds unless told.
     *
     * @return new options
     */
    public MappingOptions shared() {
        MappingOptions copy = copy();
        copy.shared = true;
        return copy;
    }

    /**
     * Writes stay in this mapping: a page is copied when it is first written to. So is anonymous memory unless told.
     *
     * @return new options
     */
    public MappingOptions copyOnWrite() {
        MappingOptions copy = copy();
        copy.shared = false;
        return copy;
    }

    /**
     * Where to begin, of a file or device. Need not be a multiple of the page size: then the page that it is in is
     * mapped from its start, and the segment begins at the offset.
     *
     * @param offsetBytes the offset of the first byte, 0 unless told
     * @return new options
     */
    public MappingOptions offset(long offsetBytes) {
        if (offsetBytes < 0) {
            throw new IllegalArgumentException("an offset of " + offsetBytes + " bytes; give 0 or more");
        }
        if (anonymous && offsetBytes != 0) {
            throw new IllegalArgumentException("anonymous memory has no offset");
        }
        MappingOptions copy = copy();
        copy.offset = offsetBytes;
        return copy;
    }

    /**
     * How much to map of a file or device.
     *
     * @param lengthBytes its length; 0, unless told: to the end of the file. A character device has no end.
     * @return new options
     */
    public MappingOptions length(long lengthBytes) {
        if (lengthBytes < 0) {
            throw new IllegalArgumentException(
                    "a length of " + lengthBytes + " bytes; give more than 0, or 0 for all up to the end of the file");
        }
        if (anonymous || memfd) {
            positive(lengthBytes);
        }
        MappingOptions copy = copy();
        copy.length = lengthBytes;
        return copy;
    }

    /**
     * Fault all pages in at once, rather than each when it is first touched. {@code MAP_POPULATE}.
     *
     * @return new options
     */
    public MappingOptions populate() {
        return flag(Mman.MAP_POPULATE);
    }

    /**
     * Keep all pages in memory. {@code MAP_LOCKED}, which does not say if it fails; {@link Mapping#lock} does.
     *
     * @return new options
     */
    public MappingOptions locked() {
        return flag(Mman.MAP_LOCKED);
    }

    /**
     * Do not set aside memory or swap for what is never touched. {@code MAP_NORESERVE}.
     *
     * @return new options
     */
    public MappingOptions noReserve() {
        return flag(Mman.MAP_NORESERVE);
    }

    private MappingOptions flag(int flag) {
        MappingOptions copy = copy();
        copy.flags |= flag;
        return copy;
    }

    /**
     * Anonymous memory or a memfd in huge pages, which {@code /proc/sys/vm/nr_hugepages} sets aside.
     *
     * @param pageBytes their size, such as 2 MiB; the length must be a multiple of it
     * @return new options
     */
    public MappingOptions hugePages(long pageBytes) {
        Mman.hugePageFlag(pageBytes);
        if (!anonymous && !memfd) {
            throw new IllegalArgumentException(
                    "huge pages are for anonymous memory and memfds; a file has them if it is on a hugetlbfs");
        }
        MappingOptions copy = copy();
        copy.hugePageBytes = pageBytes;
        return copy;
    }

    /**
     * Maps it, where the kernel has room.
     *
     * @return the mapping
     * @throws LinuxException if the kernel refuses
     * @throws IllegalArgumentException if offset and length are not within the file
     */
    public Mapping map() throws LinuxException {
        return map((file, start, bytes) -> Pages.map(file, start, bytes, protection.bits(), flags()));
    }

    /**
     * Maps it at a place of a reservation; closing the mapping, or the reservation, ends it.
     *
     * @param reservation where
     * @param at the place: bytes from its start; like offset and length a multiple of the page size
     * @return the mapping
     * @throws LinuxException if the kernel refuses
     * @throws IllegalArgumentException if offset and length are not within the file, or not whole pages
     * @throws IllegalStateException if something is placed there already
     * @throws IndexOutOfBoundsException if it does not fit into the reservation
     */
    public Mapping placeIn(Reservation reservation, long at) throws LinuxException {
        if (offset % Mman.pageBytes() != 0) {
            throw new IllegalArgumentException("an offset of " + offset
                    + " bytes for a place in a reservation; give a multiple of the page size, " + Mman.pageBytes());
        }
        return map(
                (file, start, bytes) -> reservation.pages().place(at, file, start, bytes, protection.bits(), flags()));
    }

    private interface Mapper {
        Pages map(@Nullable Fd file, long start, long bytes) throws LinuxException;
    }

    private Mapping map(Mapper mapper) throws LinuxException {
        if (hugePageBytes != 0 && length % hugePageBytes != 0) {
            throw new IllegalArgumentException(
                    "a length of " + length + " bytes in huge pages of " + hugePageBytes + "; give a multiple");
        }
        Fd file = source.open(this);
        try {
            FileEnd end = FileEnd.of(file);
            long bytes = anonymous ? length : end.lengthWithin(offset, length);
            long lead = offset % Mman.pageBytes();
            Pages pages = mapper.map(file, offset - lead, Math.addExact(bytes, lead));
            Fd kept = end.isKnown() ? file : null;
            if (kept == null && file != null) {
                file.close();
            }
            return new Mapping(pages, kept, this, offset, lead);
        } catch (LinuxException e) {
            close(file);
            throw advised(e);
        } catch (RuntimeException e) {
            close(file);
            throw e;
        }
    }

    private static void close(@Nullable Fd file) {
        if (file != null) {
            file.close();
        }
    }

    private LinuxException advised(LinuxException e) {
        if (e.call().equals("mmap") && e.errno() == Errno.EACCES) {
            return e.withAdvice(
                    "the descriptor is not open for " + protection + (shared ? ", shared" : ", copy on write"));
        }
        if (e.call().equals("mmap") && e.errno() == Errno.ENOMEM && hugePageBytes != 0) {
            return e.withAdvice("not enough huge pages are free; `sysctl vm.nr_hugepages=N` sets some aside");
        }
        return e;
    }

    private int flags() {
        int huge = anonymous && hugePageBytes != 0 ? Mman.MAP_HUGETLB | Mman.hugePageFlag(hugePageBytes) : 0;
        return flags | huge | (shared ? Mman.MAP_SHARED : Mman.MAP_PRIVATE);
    }

    /** How a file has to be opened: copies on write need no right to write. */
    int openFlags() {
        return shared && protection.isWritable() ? Fd.O_RDWR : Fd.O_RDONLY;
    }

    /** Remapping changes the length of the file too. */
    MappingOptions growingItsFile() {
        MappingOptions copy = copy();
        copy.growsItsFile = true;
        return copy;
    }

    Protection protection() {
        return protection;
    }

    /** Whether it is anonymous and shared: then nothing can be behind what is added to it. */
    boolean cannotGrow() {
        return anonymous && shared;
    }

    boolean growsItsFile() {
        return growsItsFile;
    }
}
