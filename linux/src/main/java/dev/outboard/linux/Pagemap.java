package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Where this process's memory is physically: {@code /proc/self/pagemap}. Linux kernel documentation,
 * admin-guide/mm/pagemap.rst. It takes CAP_SYS_ADMIN.
 */
public final class Pagemap {
    private static final String FILE = "/proc/self/pagemap";
    private static final long FRAME_BITS = 55;
    private static final int PRESENT_BIT = 63;

    private Pagemap() {}

    /**
     * The physical address of memory that is present. It stays true only as long as the kernel does not move the page.
     *
     * @param memory native memory; its first byte counts
     * @return the address
     * @throws LinuxException EPERM if this process may not know, EFAULT if there is no page at this address now
     */
    public static long physicalAddress(MemorySegment memory) throws LinuxException {
        if (!memory.isNative()) {
            throw new IllegalArgumentException("memory of the Java heap moves and has no physical address");
        }
        long address = memory.address();
        try (Fd file = Fd.open(FILE, Fd.O_RDONLY);
                Arena arena = Arena.ofConfined()) {
            MemorySegment entry = arena.allocate(ValueLayout.JAVA_LONG);
            long index = address / Mman.pageBytes();
            if (file.pread(entry, index * Long.BYTES) != Long.BYTES) {
                throw new LinuxException("pread", FILE, Errno.EFAULT, "nothing can be mapped at this address");
            }
            return frame(entry.get(ValueLayout.JAVA_LONG, 0)) * Mman.pageBytes() + address % Mman.pageBytes();
        }
    }

    /** The page frame number that an entry says. */
    static long frame(long entry) throws LinuxException {
        if (entry >>> PRESENT_BIT == 0) {
            throw new LinuxException(
                    "pread", FILE, Errno.EFAULT, "the page is not in memory; populate the mapping first");
        }
        long frame = entry & ((1L << FRAME_BITS) - 1);
        if (frame == 0) {
            throw new LinuxException(
                    "pread",
                    FILE,
                    Errno.EPERM,
                    "it hides physical addresses from processes without CAP_SYS_ADMIN: run as root, or use VFIO, which"
                            + " needs no physical addresses");
        }
        return frame;
    }
}
