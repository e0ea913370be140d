package dev.outboard.linux;

import java.lang.invoke.MethodHandle;

/**
 * System calls that the C library has no function for, through {@code syscall(2)}, and calls on other processes. By the
 * convention of {@link Libc}; pointers are addresses, whose memory the caller keeps alive.
 */
final class Syscall {
    private static final boolean X86_64 = "amd64".equals(System.getProperty("os.arch"));
    // <asm/unistd.h>; the second number is AArch64's.
    private static final int SYS_futex = X86_64 ? 202 : 98;
    private static final int SYS_perf_event_open = X86_64 ? 298 : 241;

    private static final MethodHandle SYSCALL = Libc.function("syscall");

    private Syscall() {}

    /** Linked when somebody asks for another process's memory. */
    private static final class OtherProcess {
        static final MethodHandle READV = Libc.function("process_vm_readv");
        static final MethodHandle WRITEV = Libc.function("process_vm_writev");
    }

    static int futex(long word, int operation, int value, long timeout) {
        return (int) Libc.call(SYSCALL, SYS_futex, word, operation, value, timeout, 0);
    }

    static int perfEventOpen(long attributes, int pid, int cpu, int group, long flags) {
        return (int) Libc.call(SYSCALL, SYS_perf_event_open, attributes, pid, cpu, group, flags);
    }

    /** Permits the calling thread some I/O ports; the number is the caller's, since only x86-64 has one. */
    static int ioperm(int number, int first, int count) {
        return (int) Libc.call(SYSCALL, number, first, count, 1, 0, 0);
    }

    static long processVmReadv(int pid, long local, long remote) {
        return Libc.call(OtherProcess.READV, pid, local, 1, remote, 1, 0);
    }

    static long processVmWritev(int pid, long local, long remote) {
        return Libc.call(OtherProcess.WRITEV, pid, local, 1, remote, 1, 0);
    }
}
