package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory mappings: {@code mmap(2)} and its constants, as in {@code <sys/mman.h>}. */
public final class Mman {
    /** {@code PROT_READ}. */
    public static final int PROT_READ = 1;
    /** {@code PROT_WRITE}. */
    public static final int PROT_WRITE = 2;
    /** {@code MAP_SHARED}: writes reach the file and everyone who maps it. */
    public static final int MAP_SHARED = 1;
    /** {@code MAP_PRIVATE}: writes stay in this mapping. */
    public static final int MAP_PRIVATE = 2;
    /** {@code MAP_ANONYMOUS}: no file. */
    public static final int MAP_ANONYMOUS = 0x20;
    /** {@code MAP_POPULATE}: fault all pages in at once. */
    public static final int MAP_POPULATE = 0x8000;
    /** {@code MAP_NORESERVE}: memory that is never touched is not accounted for. */
    public static final int MAP_NORESERVE = 0x4000;
    /** {@code MADV_HUGEPAGE}: use large pages where they fit. */
    public static final int MADV_HUGEPAGE = 14;

    private static final int NO_FILE = -1;

    private Mman() {}

    /**
     * Maps anonymous memory, zeroed.
     *
     * @param length its length, in bytes
     * @param flags {@code MAP_} flags; MAP_ANONYMOUS is added
     * @param arena unmaps it when it closes
     * @return the mapping, readable and writable
     * @throws LinuxException if the call fails
     */
    public static MemorySegment anonymous(long length, int flags, Arena arena) throws LinuxException {
        return mmap(NO_FILE, "anonymous memory", 0, length, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, arena);
    }

    /**
     * Tells the kernel how memory will be used. {@code madvise(2)}.
     *
     * @param memory a mapping, or whole pages of one
     * @param advice a {@code MADV_} constant
     * @throws LinuxException EINVAL if the kernel does not know the advice, or the memory starts inside of a page
     */
    public static void madvise(MemorySegment memory, int advice) throws LinuxException {
        LinuxException.check(Libc.madvise(memory, advice), "madvise", "memory");
    }

    static MemorySegment mmap(int fd, String name, long offset, long length, int protection, int flags, Arena arena)
            throws LinuxException {
        long address = Libc.mmap(0, length, protection, flags, fd, offset);
        // A user address is positive; an error is -4095…-1.
        LinuxException.check(address, "mmap", name);
        try {
            MemorySegment segment =
                    MemorySegment.ofAddress(address).reinterpret(length, arena, mapped -> Libc.munmap(address, length));
            return (protection & PROT_WRITE) == 0 ? segment.asReadOnly() : segment;
        } catch (IllegalStateException | WrongThreadException e) {
            // The arena is closed, or another thread's.
            Libc.munmap(address, length);
            throw e;
        }
    }
}
