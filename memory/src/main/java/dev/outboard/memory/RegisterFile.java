package dev.outboard.memory;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Registers behind a descriptor, each access one {@code pread(2)} or {@code pwrite(2)} of exactly its width: VFIO's
 * regions, configuration space and I/O BARs in sysfs, /dev/port. Safe for use by several threads.
 */
public final class RegisterFile {
    // One buffer a thread: an arena per access costs more than the access.
    private static final ThreadLocal<MemorySegment> WORD =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(ValueLayout.JAVA_LONG));

    private final Fd file;

    /**
     * The registers of a descriptor, which stays the caller's.
     *
     * @param file the descriptor
     */
    public RegisterFile(Fd file) {
        this.file = file;
    }

    /**
     * Reads a register. {@code pread(2)}.
     *
     * @param position its offset in the file, in bytes
     * @param widthBytes 1, 2, 4 or 8
     * @return the value in the low bits, ones in the others
     * @throws LinuxException if the call fails; EIO if the kernel does less than the whole access
     */
    public long read(long position, int widthBytes) throws LinuxException {
        MemorySegment word = WORD.get().fill((byte) -1);
        check("pread", file.pread(word.asSlice(0, widthBytes), position), position, widthBytes);
        return word.get(ValueLayout.JAVA_LONG, 0);
    }

    /**
     * Writes a register. {@code pwrite(2)}.
     *
     * @param position its offset in the file, in bytes
     * @param widthBytes 1, 2, 4 or 8
     * @param value the value in the low bits
     * @throws LinuxException if the call fails; EIO if the kernel does less than the whole access
     */
    public void write(long position, int widthBytes, long value) throws LinuxException {
        MemorySegment word = WORD.get();
        word.set(ValueLayout.JAVA_LONG, 0, value);
        check("pwrite", file.pwrite(word.asSlice(0, widthBytes), position), position, widthBytes);
    }

    private void check(String call, long done, long position, int widthBytes) throws LinuxException {
        if (done != widthBytes) {
            throw new LinuxException(
                    call,
                    file.name(),
                    Errno.EIO,
                    "the kernel did " + done + " of " + widthBytes + " bytes at 0x" + Long.toHexString(position));
        }
    }
}
