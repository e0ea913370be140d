package dev.outboard.memory.ring;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Who has a role of a ring: a process id in the low half of a word, and in the high half when that process began (the
 * low 32 bits of {@code starttime} in {@code /proc/PID/stat}), so that another process that was given the same number
 * later is not taken for it.
 */
final class Owner {
    static final long NOBODY = 0;
    static final long CLOSED = -1;

    private static final int PID_BITS = 32;
    // proc(5): after the name, which may hold anything, come field 3, the state, and field 22, the start.
    private static final int STATE = 0;
    private static final int START_TIME = 22 - 3;

    private Owner() {}

    /** Loaded when it is needed: this process. */
    private static final class Self {
        static final long WORD = word(Math.toIntExact(ProcessHandle.current().pid()));
    }

    /** Takes a role, from a process that is gone too. */
    static void take(MemorySegment memory, long role, String what) throws RingException {
        while (true) {
            long owner = (long) RingLayout.LONG.getVolatile(memory, role);
            if (isAlive(owner)) {
                throw new RingException("the ring has its " + what + " already: process " + (int) owner
                        + (owner == Self.WORD ? ", which is this one" : ""));
            }
            if (RingLayout.LONG.compareAndSet(memory, role, owner, Self.WORD)) {
                return;
            }
        }
    }

    static void release(MemorySegment memory, long role) {
        // If somebody took it over, it is theirs.
        var _ = (boolean) RingLayout.LONG.compareAndSet(memory, role, Self.WORD, CLOSED);
    }

    /** Throws if whoever had the role is gone. Whoever has not come yet may still come. */
    static void checkPresent(MemorySegment memory, long role, String what) throws PeerGoneException {
        long owner = (long) RingLayout.LONG.getVolatile(memory, role);
        if (owner == CLOSED) {
            throw new PeerGoneException("the " + what + " has closed the ring", false);
        }
        if (owner != NOBODY && !isAlive(owner)) {
            throw new PeerGoneException(
                    "the " + what + " died: there is no process " + (int) owner + " any more", true);
        }
    }

    static boolean isAlive(long owner) {
        return owner != NOBODY && owner != CLOSED && (int) owner > 0 && word((int) owner) == owner;
    }

    /** The word of a process that is there; {@link #NOBODY} if there is none, or only a zombie. */
    private static long word(int pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", START_TIME + 2);
            String state = fields[STATE];
            return state.equals("Z") || state.equals("X")
                    ? NOBODY
                    : Long.parseLong(fields[START_TIME]) << PID_BITS | (long) pid;
        } catch (IOException | RuntimeException gone) {
            // No such file, or a process that ended while it was read.
            return NOBODY;
        }
    }
}
