package dev.outboard.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A process, told from another one that gets the same number later.
 *
 * @param pid its number
 * @param startTicks when it started, in clock ticks since the machine did: field 22 of {@code /proc/PID/stat}, proc(5)
 */
record ProcessIdentity(long pid, long startTicks) {
    private static final Path PROC = Path.of("/proc");
    private static final long UNKNOWN = -1;
    /** Fields are counted from 1, and the first two, pid and name, end with the last parenthesis. */
    private static final int START_TIME = 22 - 3;

    static ProcessIdentity current() {
        long pid = ProcessHandle.current().pid();
        return new ProcessIdentity(pid, startTicks(pid));
    }

    /** Whether it certainly has ended. Where {@code /proc} hides other users' processes, nobody can say. */
    boolean hasEnded() {
        if (startTicks == UNKNOWN || !Files.exists(PROC.resolve("1/stat"))) {
            return false;
        }
        return startTicks(pid) != startTicks;
    }

    private static long startTicks(long pid) {
        try {
            String stat = Files.readString(PROC.resolve(pid + "/stat"));
            // A program's name may contain blanks and parentheses.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            return Long.parseLong(fields[START_TIME]);
        } catch (IOException | RuntimeException gone) {
            return UNKNOWN;
        }
    }
}
