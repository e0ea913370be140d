package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A file descriptor that this process owns: closed once, by {@link #close}.
 *
 * <p>Every descriptor is opened with {@code O_CLOEXEC}. Methods may be called from any thread; a call on a closed
 * descriptor fails with {@link Errno#EBADF}, never on a descriptor that was opened since under the same number, as long
 * as no other thread closes it during the call. Buffers are native segments; one that is only for reading cannot be
 * read into.
 */
public final class Fd implements AutoCloseable {
    /** {@code O_RDONLY}. */
    public static final int O_RDONLY = 0;
    /** {@code O_WRONLY}. */
    public static final int O_WRONLY = 1;
    /** {@code O_RDWR}. */
    public static final int O_RDWR = 2;
    /** {@code O_CREAT}: create the file if there is none. */
    public static final int O_CREAT = 0x40;
    /** {@code O_EXCL}: with O_CREAT, fail if there is one; on a block device, fail if it is in use. */
    public static final int O_EXCL = 0x80;
    /** {@code O_TRUNC}. */
    public static final int O_TRUNC = 0x200;
    /** {@code O_NONBLOCK}. */
    public static final int O_NONBLOCK = 0x800;
    /** {@code O_DIRECTORY}: fail if it is no directory. */
    public static final int O_DIRECTORY = 0x10000;
    /** {@code O_NOFOLLOW}: fail with ELOOP if the path's last part is a symbolic link. */
    public static final int O_NOFOLLOW = 0x20000;
    /** {@code O_SYNC}: on /dev/mem also: map uncached. */
    public static final int O_SYNC = 0x101000;

    private static final int O_CLOEXEC = 0x80000;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int MFD_HUGETLB = 4;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_SEAL_SEAL = 1;
    private static final int F_SEAL_SHRINK = 2;
    private static final int F_SEAL_GROW = 4;
    private static final int SEEK_SET = 0;
    private static final int SEEK_CUR = 1;
    private static final int SEEK_END = 2;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final int CLOSED = -1;

    // <linux/stat.h>; statx has one layout on all architectures, fstat has not.
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_TYPE = 1;
    private static final int STATX_SIZE = 0x200;
    private static final long STATX_BYTES = 256;
    private static final long STX_MODE_OFFSET = 28;
    private static final long STX_SIZE_OFFSET = 40;
    private static final int STATX_MODE = 2;
    private static final int S_IFMT = 0xf000;
    private static final int S_IFREG = 0x8000;
    private static final int S_IFBLK = 0x6000;

    private final AtomicInteger number;
    private final String name;

    Fd(int number, String name) {
        this.number = new AtomicInteger(number);
        this.name = name;
    }

    /**
     * Opens a file. {@code open(2)}.
     *
     * @param path the file's path
     * @param flags {@code O_} flags; O_CLOEXEC is added
     * @return the descriptor, named by the path
     * @throws LinuxException if it cannot be opened
     */
    public static Fd open(String path, int flags) throws LinuxException {
        return open(path, flags, 0);
    }

    /**
     * Opens a file, or creates it. {@code open(2)}.
     *
     * @param path the file's path
     * @param flags {@code O_} flags; O_CLOEXEC is added
     * @param mode the permissions of a file that is created, before the umask
     * @return the descriptor, named by the path
     * @throws LinuxException if it cannot be opened
     */
    public static Fd open(String path, int flags, int mode) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            int fd = Libc.open(arena.allocateFrom(path), flags | O_CLOEXEC, mode);
            return new Fd((int) LinuxException.check(fd, "open", path), path);
        }
    }

    /**
     * Takes over a descriptor that a call returned, such as an ioctl that opens something.
     *
     * @param number the descriptor; it now belongs to the new object
     * @param name what it stands for
     * @return the descriptor
     */
    public static Fd of(int number, String name) {
        return new Fd(number, name);
    }

    /**
     * Creates a file that lives in memory. {@code memfd_create(2)}.
     *
     * @param name its name, as shown in /proc
     * @param lengthBytes its length
     * @return the descriptor
     * @throws LinuxException if it cannot be created or sized
     */
    public static Fd memfd(String name, long lengthBytes) throws LinuxException {
        return memfd(name, lengthBytes, 0);
    }

    /**
     * Creates a file that lives in huge pages. {@code memfd_create(2)}, MFD_HUGETLB.
     *
     * @param name its name, as shown in /proc
     * @param lengthBytes its length, a multiple of the size of a huge page
     * @param hugePageBytes the size of a huge page, a power of two that the processor has; 0 for ordinary pages
     * @return the descriptor
     * @throws LinuxException if it cannot be created or sized
     */
    public static Fd memfd(String name, long lengthBytes, long hugePageBytes) throws LinuxException {
        return memfd(name, lengthBytes, hugePageBytes, 0);
    }

    /**
     * Creates a file that lives in memory and whose length nobody can change any more: for peers that must not be able to
     * cut it off, and for {@code /dev/udmabuf}. {@code memfd_create(2)}, "File-sealing".
     *
     * @param name its name, as shown in /proc
     * @param lengthBytes its length
     * @param hugePageBytes the size of a huge page; 0 for ordinary pages
     * @return the descriptor
     * @throws LinuxException if it cannot be created, sized or sealed
     */
    public static Fd sealedMemfd(String name, long lengthBytes, long hugePageBytes) throws LinuxException {
        return memfd(name, lengthBytes, hugePageBytes, MFD_ALLOW_SEALING);
    }

    private static Fd memfd(String name, long lengthBytes, long hugePageBytes, int sealing) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            String subject = "memfd:" + name;
            int huge = hugePageBytes == 0 ? 0 : MFD_HUGETLB | Mman.hugePageFlag(hugePageBytes);
            int number = Libc.memfdCreate(arena.allocateFrom(name), MFD_CLOEXEC | sealing | huge);
            Fd fd = new Fd((int) LinuxException.check(number, "memfd_create", subject), subject);
            try {
                fd.truncate(lengthBytes);
                if (sealing != 0) {
                    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
                    LinuxException.check(Libc.fcntl(fd.number(), F_ADD_SEALS, seals), "fcntl F_ADD_SEALS", subject);
                }
                return fd;
            } catch (LinuxException e) {
                fd.close();
                throw e;
            }
        }
    }

    /**
     * The descriptor's number, for structures that carry one to the kernel.
     *
     * @return the number
     * @throws LinuxException EBADF if the descriptor is closed
     */
    public int number() throws LinuxException {
        int open = number.get();
        if (open == CLOSED) {
            throw new LinuxException("use of", name, Errno.EBADF, "it was closed");
        }
        return open;
    }

    /**
     * What the descriptor stands for.
     *
     * @return the path, or a name such as {@code memfd:bar0}
     */
    public String name() {
        return name;
    }

    /**
     * Whether the descriptor is still open.
     *
     * @return false once it was closed
     */
    public boolean isOpen() {
        return number.get() != CLOSED;
    }

    /**
     * Reads at the file position. {@code read(2)}.
     *
     * @param buffer where to
     * @return the number of bytes read; 0 at the end of the file
     * @throws LinuxException if the call fails; EAGAIN if the descriptor does not block and nothing is there
     */
    public long read(MemorySegment buffer) throws LinuxException {
        return LinuxException.check(Libc.read(number(), writable(buffer)), "read", name);
    }

    /**
     * Writes at the file position. {@code write(2)}.
     *
     * @param buffer what to write
     * @return the number of bytes written, which may be fewer
     * @throws LinuxException if the call fails
     */
    public long write(MemorySegment buffer) throws LinuxException {
        return LinuxException.check(Libc.write(number(), buffer), "write", name);
    }

    /**
     * Reads at an offset. {@code pread(2)}.
     *
     * @param buffer where to
     * @param offset the offset in the file, in bytes
     * @return the number of bytes read; 0 at the end of the file
     * @throws LinuxException if the call fails
     */
    public long pread(MemorySegment buffer, long offset) throws LinuxException {
        return LinuxException.check(Libc.pread(number(), writable(buffer), offset), "pread", name);
    }

    /**
     * Writes at an offset. {@code pwrite(2)}.
     *
     * @param buffer what to write
     * @param offset the offset in the file, in bytes
     * @return the number of bytes written, which may be fewer
     * @throws LinuxException if the call fails
     */
    public long pwrite(MemorySegment buffer, long offset) throws LinuxException {
        return LinuxException.check(Libc.pwrite(number(), buffer, offset), "pwrite", name);
    }

    /**
     * Makes the file this long. {@code ftruncate(2)}.
     *
     * @param lengthBytes the new length
     * @throws LinuxException if the call fails
     */
    public void truncate(long lengthBytes) throws LinuxException {
        LinuxException.check(Libc.ftruncate(number(), lengthBytes), "ftruncate", name);
    }

    /**
     * Sets the file's permissions, whatever the umask. {@code fchmod(2)}.
     *
     * @param mode the permissions, with set-user-id, set-group-id and sticky bits: 12 bits
     * @throws LinuxException EPERM if the file is another user's
     */
    public void changeMode(int mode) throws LinuxException {
        LinuxException.check(Libc.fchmod(number(), mode), "fchmod", name);
    }

    /**
     * The file's permissions. {@code statx(2)}.
     *
     * @return the permissions, with set-user-id, set-group-id and sticky bits: 12 bits
     * @throws LinuxException if the call fails
     */
    public int mode() throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            return Short.toUnsignedInt(status(arena).get(ValueLayout.JAVA_SHORT, STX_MODE_OFFSET)) & ~S_IFMT;
        }
    }

    /**
     * Gives a range of a regular file its place on the disk before it is written, which is then faster and cannot run
     * out of space; the file gets at least as long as the range reaches. {@code fallocate(2)}.
     *
     * @param offset where the range begins, in bytes
     * @param length its length, more than 0
     * @return false if the file system, or a device, cannot do that
     * @throws LinuxException ENOSPC if there is no room
     */
    public boolean allocate(long offset, long length) throws LinuxException {
        int result = MemoryCalls.fallocate(number(), 0, offset, length);
        if (result == -Errno.EOPNOTSUPP || result == -Errno.ENODEV) {
            return false;
        }
        LinuxException.check(result, "fallocate", name);
        return true;
    }

    /**
     * Where the next data of a regular file is; between data and data are holes, which read as zeros and take no room.
     * Moves the file position. {@code lseek(2)}, SEEK_DATA.
     *
     * @param offset from where to look, in bytes
     * @return the offset of the data; −1 if there is a hole up to the end, or the end is before the offset
     * @throws LinuxException EINVAL if this is no regular file
     */
    public long nextData(long offset) throws LinuxException {
        long data = MemoryCalls.lseek(number(), offset, SEEK_DATA);
        return data == -Errno.ENXIO ? -1 : LinuxException.check(data, "lseek", name);
    }

    /**
     * Where the next hole of a regular file is, or its end. Moves the file position. {@code lseek(2)}, SEEK_HOLE.
     *
     * @param offset from where to look, in bytes
     * @return the offset of the hole; −1 if the end is before the offset
     * @throws LinuxException EINVAL if this is no regular file
     */
    public long nextHole(long offset) throws LinuxException {
        long hole = MemoryCalls.lseek(number(), offset, SEEK_HOLE);
        return hole == -Errno.ENXIO ? -1 : LinuxException.check(hole, "lseek", name);
    }

    /**
     * The length of a regular file, memfds included. {@code statx(2)}.
     *
     * @return its length in bytes; −1 if it is no regular file, but a device or a socket
     * @throws LinuxException if the call fails
     */
    public long regularFileBytes() throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = status(arena);
            return typeIn(status) == S_IFREG ? status.get(ValueLayout.JAVA_LONG, STX_SIZE_OFFSET) : -1;
        }
    }

    /**
     * The length of a regular file or a block device. {@code statx(2)}, {@code lseek(2)}.
     *
     * @return its length in bytes; −1 if it has none, as a character device
     * @throws LinuxException if the call fails
     */
    public long endBytes() throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = status(arena);
            if (typeIn(status) != S_IFBLK) {
                return typeIn(status) == S_IFREG ? status.get(ValueLayout.JAVA_LONG, STX_SIZE_OFFSET) : -1;
            }
            // Duplicates of the descriptor share the position, so it is put back.
            long position = LinuxException.check(MemoryCalls.lseek(number(), 0, SEEK_CUR), "lseek", name);
            long end = LinuxException.check(MemoryCalls.lseek(number(), 0, SEEK_END), "lseek", name);
            LinuxException.check(MemoryCalls.lseek(number(), position, SEEK_SET), "lseek", name);
            return end;
        }
    }

    private MemorySegment status(Arena arena) throws LinuxException {
        MemorySegment status = arena.allocate(STATX_BYTES, Long.BYTES);
        int result = Libc.statx(
                number(), arena.allocateFrom(""), AT_EMPTY_PATH, STATX_TYPE | STATX_MODE | STATX_SIZE, status);
        LinuxException.check(result, "statx", name);
        return status;
    }

    private static int typeIn(MemorySegment status) {
        return status.get(ValueLayout.JAVA_SHORT, STX_MODE_OFFSET) & S_IFMT;
    }

    /**
     * Sends a request whose argument is a structure. {@code ioctl(2)}.
     *
     * @param request the request
     * @param argument the structure
     * @return what the request returns, zero or more
     * @throws LinuxException if the call fails
     */
    public int ioctl(Ioctl request, MemorySegment argument) throws LinuxException {
        return (int)
                LinuxException.check(Libc.ioctl(number(), request.number(), argument), "ioctl " + request.name(), name);
    }

    /**
     * Sends a request whose argument is a number. {@code ioctl(2)}.
     *
     * @param request the request
     * @param argument the number; 0 where the request takes none
     * @return what the request returns, zero or more
     * @throws LinuxException if the call fails
     */
    public int ioctl(Ioctl request, long argument) throws LinuxException {
        return ioctl(request, MemorySegment.ofAddress(argument));
    }

    /**
     * Maps a range of the file. {@code mmap(2)}.
     *
     * @param offset the range's offset in the file, in bytes, a multiple of the page size
     * @param length the range's length, in bytes
     * @param protection {@code PROT_} bits of {@link Mman}
     * @param flags {@code MAP_} flags of {@link Mman}
     * @param arena unmaps it when it closes
     * @return the mapping
     * @throws LinuxException if the call fails
     */
    public MemorySegment mmap(long offset, long length, int protection, int flags, Arena arena) throws LinuxException {
        return Mman.mmap(number(), name, offset, length, protection, flags, arena);
    }

    /**
     * Has reads and writes that would block fail with EAGAIN instead, for everybody who has this open file: {@code
     * fcntl(2)}, F_SETFL.
     *
     * @throws LinuxException if the call fails
     */
    public void setNonBlocking() throws LinuxException {
        long flags = LinuxException.check(Libc.fcntl(number(), F_GETFL, 0), "fcntl F_GETFL", name);
        LinuxException.check(Libc.fcntl(number(), F_SETFL, flags | O_NONBLOCK), "fcntl F_SETFL", name);
    }

    /**
     * A second descriptor of the same open file. {@code fcntl(2)}, F_DUPFD_CLOEXEC.
     *
     * @return the duplicate, which must be closed on its own
     * @throws LinuxException if the call fails
     */
    public Fd duplicate() throws LinuxException {
        return new Fd((int) LinuxException.check(Libc.fcntl(number(), F_DUPFD_CLOEXEC, 0), "dup", name), name);
    }

    /** Closes the descriptor. Closing twice is harmless; what {@code close(2)} returns cannot be acted on. */
    @Override
    public void close() {
        int open = number.getAndSet(CLOSED);
        if (open != CLOSED) {
            Libc.close(open);
        }
    }

    /** A buffer that the kernel may write to: it would not ask whether a segment is read-only. */
    static MemorySegment writable(MemorySegment buffer) {
        if (buffer.isReadOnly()) {
            throw new IllegalArgumentException("cannot read into a read-only segment");
        }
        return buffer;
    }

    @Override
    public String toString() {
        int open = number.get();
        return name + (open == CLOSED ? " (closed)" : " (descriptor " + open + ")");
    }
}
