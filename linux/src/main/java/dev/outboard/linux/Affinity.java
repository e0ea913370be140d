package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/** On which processors a thread may run: {@code sched_setaffinity(2)}. */
public final class Affinity {
    private static final int CALLING_THREAD = 0;
    // The kernel refuses to tell with fewer bits than it has processors: x86-64's and AArch64's limit is 8192.
    private static final int MASK_BYTES = 1024;

    private Affinity() {}

    /**
     * Pins the calling platform thread to one processor.
     *
     * @param cpu the processor's number, from 0
     * @throws LinuxException EINVAL if there is no such processor, or it is not allowed here
     */
    public static void pin(int cpu) throws LinuxException {
        BitSet cpus = new BitSet();
        if (cpu >= 0 && cpu < MASK_BYTES * Byte.SIZE) {
            cpus.set(cpu);
        }
        set(cpus, "CPU " + cpu);
    }

    /**
     * Finds out whether a thread can be pinned to a processor. The calling platform thread stays where it may run.
     *
     * @param cpu the processor's number, from 0
     * @throws LinuxException EINVAL if there is no such processor, or it is not allowed here
     */
    public static void check(int cpu) throws LinuxException {
        BitSet before = get();
        pin(cpu);
        set(before);
    }

    /**
     * Lets the calling platform thread run on these processors.
     *
     * @param cpus their numbers
     * @throws LinuxException EINVAL if none of them is there and allowed
     */
    public static void set(BitSet cpus) throws LinuxException {
        set(cpus, "CPUs " + cpus);
    }

    private static void set(BitSet cpus, String subject) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(MASK_BYTES, Long.BYTES);
            byte[] bytes = cpus.toByteArray();
            MemorySegment.copy(bytes, 0, mask, ValueLayout.JAVA_BYTE, 0, Math.min(bytes.length, MASK_BYTES));
            int result = Libc.schedSetaffinity(CALLING_THREAD, mask);
            if (result == -Errno.EINVAL) {
                throw new LinuxException("sched_setaffinity", subject, Errno.EINVAL, "allowed here: " + get());
            }
            LinuxException.check(result, "sched_setaffinity", subject);
        }
    }

    /**
     * On which processors the calling platform thread may run.
     *
     * @return their numbers
     * @throws LinuxException if the call fails
     */
    public static BitSet get() throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(MASK_BYTES, Long.BYTES);
            LinuxException.check(Libc.schedGetaffinity(CALLING_THREAD, mask), "sched_getaffinity", "this thread");
            return BitSet.valueOf(mask.toArray(ValueLayout.JAVA_BYTE));
        }
    }
}
