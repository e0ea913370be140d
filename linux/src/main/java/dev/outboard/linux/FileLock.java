package dev.outboard.linux;

import java.lang.foreign.Arena;

/**
 * Advisory locks of files, which the kernel releases when the last descriptor of the open file is closed, however its
 * process ends. They belong to the open file and not to the process, so two threads that open a file each exclude each
 * other as two processes do. None of these calls waits. {@code fcntl_locking(2)}: open file description locks;
 * {@code flock(2)}. The two kinds do not know each other.
 */
public final class FileLock {
    /** {@code struct flock}. */
    static final Struct FLOCK = Struct.of(
            "flock",
            Struct.u16("l_type"),
            Struct.u16("l_whence"),
            Struct.u64("l_start"),
            Struct.u64("l_len"),
            Struct.u32("l_pid"));

    private static final int F_OFD_GETLK = 36;
    private static final int F_OFD_SETLK = 37;
    private static final int F_RDLCK = 0;
    private static final int F_WRLCK = 1;
    private static final int F_UNLCK = 2;
    private static final int LOCK_EX = 2;
    private static final int LOCK_NB = 4;
    private static final int SEEK_START = 0;

    private FileLock() {}

    /**
     * Locks a range of bytes against everybody. The bytes need not exist: the file may be shorter.
     *
     * @param file opened for writing
     * @param start the first byte, zero or more
     * @param lengthBytes how many, at least 1; the range ends before 2⁶³
     * @return false if somebody else has a lock on one of the bytes
     * @throws LinuxException EBADF if the file is not open for writing
     * @throws IllegalArgumentException if there is no such range
     */
    public static boolean tryExclusive(Fd file, long start, long lengthBytes) throws LinuxException {
        return tryLock(file, F_WRLCK, start, lengthBytes);
    }

    /**
     * Locks a range of bytes against those who want it exclusively.
     *
     * @param file opened for reading
     * @param start the first byte, zero or more
     * @param lengthBytes how many, at least 1; the range ends before 2⁶³
     * @return false if somebody else has an exclusive lock on one of the bytes
     * @throws LinuxException EBADF if the file is not open for reading
     * @throws IllegalArgumentException if there is no such range
     */
    public static boolean tryShared(Fd file, long start, long lengthBytes) throws LinuxException {
        return tryLock(file, F_RDLCK, start, lengthBytes);
    }

    /**
     * Unlocks a range of bytes. Those that are not locked stay so.
     *
     * @param file the same open file that has the lock
     * @param start the first byte, zero or more
     * @param lengthBytes how many, at least 1; the range ends before 2⁶³
     * @throws LinuxException if the call fails
     * @throws IllegalArgumentException if there is no such range
     */
    public static void unlock(Fd file, long start, long lengthBytes) throws LinuxException {
        tryLock(file, F_UNLCK, start, lengthBytes);
    }

    /**
     * Whether another open file has a lock, of either kind, on one of these bytes.
     *
     * @param file opened in any way
     * @param start the first byte, zero or more
     * @param lengthBytes how many, at least 1; the range ends before 2⁶³
     * @return whether {@link #tryExclusive} would be refused now
     * @throws LinuxException if the call fails
     * @throws IllegalArgumentException if there is no such range
     */
    public static boolean isHeldElsewhere(Fd file, long start, long lengthBytes) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            StructView lock = range(arena, F_WRLCK, start, lengthBytes);
            int result = Libc.fcntl(file.number(), F_OFD_GETLK, lock.segment());
            LinuxException.check(result, "fcntl F_OFD_GETLK", file.name());
            return lock.get("l_type") != F_UNLCK;
        }
    }

    private static boolean tryLock(Fd file, int type, long start, long lengthBytes) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            StructView lock = range(arena, type, start, lengthBytes);
            int result = Libc.fcntl(file.number(), F_OFD_SETLK, lock.segment());
            if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
                return false;
            }
            LinuxException.check(result, "fcntl F_OFD_SETLK", file.name());
            return true;
        }
    }

    /** A length of 0 would mean: to the end, and a negative one: backwards. */
    private static StructView range(Arena arena, int type, long start, long lengthBytes) {
        if (start < 0 || lengthBytes <= 0 || start > Long.MAX_VALUE - lengthBytes) {
            throw new IllegalArgumentException("no range of a file: " + lengthBytes + " bytes from " + start
                    + "; the start is at least 0, the length at least 1, the end below 2^63");
        }
        return FLOCK.allocate(arena)
                .set("l_type", type)
                .set("l_whence", SEEK_START)
                .set("l_start", start)
                .set("l_len", lengthBytes);
    }

    /**
     * Locks a file or a directory as a whole, opened in any way, until it is closed. {@code flock(2)}.
     *
     * @param file the file
     * @return 0, or the negated error number: EAGAIN if somebody else has it
     */
    static int tryWhole(Fd file) throws LinuxException {
        int result;
        do {
            result = Libc.flock(file.number(), LOCK_EX | LOCK_NB);
        } while (result == -Errno.EINTR);
        return result;
    }
}
