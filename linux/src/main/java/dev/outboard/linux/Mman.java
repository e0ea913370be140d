package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory mappings: {@code mmap(2)} and its constants, as in {@code <sys/mman.h>}. */
public final class Mman {
    /** {@code PROT_NONE}: any access is a fault. */
    public static final int PROT_NONE = 0;
    /** {@code PROT_READ}. */
    public static final int PROT_READ = 1;
    /** {@code PROT_WRITE}. */
    public static final int PROT_WRITE = 2;
    /** {@code PROT_EXEC}. */
    public static final int PROT_EXEC = 4;
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
    /** {@code MAP_LOCKED}: lock all pages in memory. */
    public static final int MAP_LOCKED = 0x2000;
    /** {@code MAP_HUGETLB}: explicit huge pages; their size goes above MAP_HUGE_SHIFT. */
    public static final int MAP_HUGETLB = 0x40000;
    /** {@code MAP_HUGE_SHIFT}: where the binary logarithm of the size of huge pages is in the flags. */
    public static final int MAP_HUGE_SHIFT = 26;
    /** {@code MADV_NORMAL}: no special treatment. */
    public static final int MADV_NORMAL = 0;
    /** {@code MADV_RANDOM}: no read-ahead. */
    public static final int MADV_RANDOM = 1;
    /** {@code MADV_SEQUENTIAL}: read ahead, and drop soon. */
    public static final int MADV_SEQUENTIAL = 2;
    /** {@code MADV_WILLNEED}: read now. */
    public static final int MADV_WILLNEED = 3;
    /** {@code MADV_DONTNEED}: drop; what was private and not written back is lost. */
    public static final int MADV_DONTNEED = 4;
    /** {@code MADV_FREE}: private anonymous pages may be dropped when memory is short. */
    public static final int MADV_FREE = 8;
    /** {@code MADV_REMOVE}: punch a hole into the file behind a shared mapping. */
    public static final int MADV_REMOVE = 9;
    /** {@code MADV_DONTFORK}: children do not get it. */
    public static final int MADV_DONTFORK = 10;
    /** {@code MADV_DOFORK}: undoes MADV_DONTFORK. */
    public static final int MADV_DOFORK = 11;
    /** {@code MADV_NOHUGEPAGE}: no large pages. */
    public static final int MADV_NOHUGEPAGE = 15;
    /** {@code MADV_DONTDUMP}: leave it out of core dumps. */
    public static final int MADV_DONTDUMP = 16;
    /** {@code MADV_DODUMP}: undoes MADV_DONTDUMP. */
    public static final int MADV_DODUMP = 17;
    /** {@code MADV_COLD}: reclaim these pages first. */
    public static final int MADV_COLD = 20;
    /** {@code MADV_PAGEOUT}: reclaim these pages now. */
    public static final int MADV_PAGEOUT = 21;
    /** {@code MADV_POPULATE_READ}: fault all pages in for reading; Linux 5.14. */
    public static final int MADV_POPULATE_READ = 22;
    /** {@code MADV_POPULATE_WRITE}: fault all pages in for writing; Linux 5.14. */
    public static final int MADV_POPULATE_WRITE = 23;
    /** {@code MS_ASYNC}: start to write back. */
    public static final int MS_ASYNC = 1;
    /** {@code MS_INVALIDATE}: other mappings of the file see it. */
    public static final int MS_INVALIDATE = 2;
    /** {@code MS_SYNC}: write back, and wait for it. */
    public static final int MS_SYNC = 4;

    static final int MAP_FIXED = 0x10;
    static final int MAP_FIXED_NOREPLACE = 0x100000;
    static final int MREMAP_MAYMOVE = 1;

    static final int NO_FILE = -1;

    private Mman() {}

    /** Linked when it is asked for. */
    private static final class PageSize {
        static final long BYTES = MemoryCalls.getpagesize();
    }

    /**
     * The size of a page. {@code getpagesize(2)}.
     *
     * @return bytes, a power of two
     */
    public static long pageBytes() {
        return PageSize.BYTES;
    }

    /**
     * The flag of mmap and memfd_create that asks for huge pages of one size.
     *
     * @param hugePageBytes the size of a huge page
     * @return its binary logarithm, shifted by MAP_HUGE_SHIFT
     * @throws IllegalArgumentException if it is no power of two, or no more than a page
     */
    public static int hugePageFlag(long hugePageBytes) {
        if (hugePageBytes <= pageBytes() || Long.bitCount(hugePageBytes) != 1) {
            throw new IllegalArgumentException("huge pages of " + hugePageBytes
                    + " bytes; give a size that /sys/kernel/mm/hugepages lists, such as 2 MiB (2097152)");
        }
        return Long.numberOfTrailingZeros(hugePageBytes) << MAP_HUGE_SHIFT;
    }

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
