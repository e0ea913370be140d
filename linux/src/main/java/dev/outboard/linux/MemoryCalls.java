package dev.outboard.linux;

import java.lang.invoke.MethodHandle;

/**
 * The C functions that change mappings and the extents of files, with the convention of {@link Libc}. None of them touches the memory in user
 * mode, so pages that are not there any more are an error number, not a signal.
 */
final class MemoryCalls {
    private static final MethodHandle MPROTECT = Libc.function("mprotect");
    private static final MethodHandle MSYNC = Libc.function("msync");
    private static final MethodHandle MLOCK = Libc.function("mlock");
    private static final MethodHandle MUNLOCK = Libc.function("munlock");
    private static final MethodHandle MREMAP = Libc.function("mremap");
    private static final MethodHandle MADVISE = Libc.function("madvise");
    private static final MethodHandle GETPAGESIZE = Libc.function("getpagesize");
    private static final MethodHandle LSEEK = Libc.function("lseek");
    private static final MethodHandle FALLOCATE = Libc.function("fallocate");

    private MemoryCalls() {}

    static int mprotect(long address, long length, int protection) {
        return (int) Libc.call(MPROTECT, address, length, protection, 0, 0, 0);
    }

    static int msync(long address, long length, int flags) {
        return (int) Libc.call(MSYNC, address, length, flags, 0, 0, 0);
    }

    static int mlock(long address, long length) {
        return (int) Libc.call(MLOCK, address, length, 0, 0, 0, 0);
    }

    static int munlock(long address, long length) {
        return (int) Libc.call(MUNLOCK, address, length, 0, 0, 0, 0);
    }

    /** Returns the new address, which is positive. */
    static long mremap(long address, long oldLength, long newLength, int flags) {
        return Libc.call(MREMAP, address, oldLength, newLength, flags, 0, 0);
    }

    static int madvise(long address, long length, int advice) {
        return (int) Libc.call(MADVISE, address, length, advice, 0, 0, 0);
    }

    static long lseek(int fd, long offset, int whence) {
        return Libc.call(LSEEK, fd, offset, whence, 0, 0, 0);
    }

    static int fallocate(int fd, int mode, long offset, long length) {
        return (int) Libc.call(FALLOCATE, fd, mode, offset, length, 0, 0);
    }

    static int getpagesize() {
        return (int) Libc.call(GETPAGESIZE, 0, 0, 0, 0, 0, 0);
    }
}
