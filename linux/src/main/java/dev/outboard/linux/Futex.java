package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/**
 * Sleeping on a 32-bit word of memory until somebody who shares the memory wakes the sleeper: {@code futex(2)}, not
 * private, so it works between processes and languages. Methods may be called from any thread; sleeping blocks the
 * platform thread. Nothing is allocated after a thread's first sleep.
 */
public final class Futex {
    // <linux/futex.h>
    private static final int FUTEX_WAIT = 0;
    private static final int FUTEX_WAKE = 1;

    private static final long NANOS_PER_SECOND = 1_000_000_000;
    private static final long TIMESPEC_BYTES = 16;
    private static final ThreadLocal<MemorySegment> TIMEOUT =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(TIMESPEC_BYTES, Long.BYTES));

    private Futex() {}

    /**
     * Sleeps while the word has a value. Returns early for a signal too: look again at what was waited for.
     *
     * @param memory shared memory
     * @param offset the word's offset in it, in bytes; its address is a multiple of 4
     * @param expected the value; if the word has another one, this returns at once
     * @param timeoutNanos how long to sleep at most, in nanoseconds
     * @return false if the time was over
     * @throws LinuxException if the call fails; EFAULT if the memory's file was truncated
     */
    public static boolean await(MemorySegment memory, long offset, int expected, long timeoutNanos)
            throws LinuxException {
        long word = address(memory, offset);
        MemorySegment timeout = TIMEOUT.get();
        long nanos = Math.max(0, timeoutNanos);
        timeout.set(ValueLayout.JAVA_LONG, 0, nanos / NANOS_PER_SECOND);
        timeout.set(ValueLayout.JAVA_LONG, Long.BYTES, nanos % NANOS_PER_SECOND);
        int result;
        try {
            result = Syscall.futex(word, FUTEX_WAIT, expected, timeout.address());
        } finally {
            Reference.reachabilityFence(timeout);
            Reference.reachabilityFence(memory);
        }
        if (result == -Errno.ETIMEDOUT) {
            return false;
        }
        if (result != -Errno.EAGAIN && result != -Errno.EINTR) {
            LinuxException.check(result, "futex FUTEX_WAIT", "shared memory");
        }
        return true;
    }

    /**
     * Wakes who sleeps on a word.
     *
     * @param memory shared memory
     * @param offset the word's offset in it, in bytes; its address is a multiple of 4
     * @param count how many sleepers at most
     * @return how many were woken
     * @throws LinuxException if the call fails
     */
    public static int wake(MemorySegment memory, long offset, int count) throws LinuxException {
        long word = address(memory, offset);
        try {
            return (int) LinuxException.check(
                    Syscall.futex(word, FUTEX_WAKE, count, 0), "futex FUTEX_WAKE", "shared memory");
        } finally {
            Reference.reachabilityFence(memory);
        }
    }

    private static long address(MemorySegment memory, long offset) {
        if (!memory.isNative()) {
            throw new IllegalArgumentException("a futex must be in native memory, which other processes can map");
        }
        // Bounds and lifetime; the kernel checks neither.
        memory.get(ValueLayout.JAVA_INT, offset);
        return memory.address() + offset;
    }
}
