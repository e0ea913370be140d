package dev.outboard.memory;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import org.jspecify.annotations.Nullable;

/** What the JVM makes of a SIGBUS: an {@link InternalError}, thrown a little later. */
final class Faults {
    private static final int CALLS = 3;

    private Faults() {}

    /**
     * Lets the error of an access before it be thrown here. The JVM throws it at the thread's next safepoint poll, and in
     * compiled code without loops that may be in the caller, behind the handler. Every compiled method polls when it
     * returns, so a call that is not inlined is a poll; of calls to itself the compiler inlines one.
     */
    static void settle() {
        call(CALLS);
    }

    private static int call(int more) {
        return more == 0 ? 0 : call(more - 1);
    }

    /** Why there was a fault. */
    static String reason(@Nullable Fd file, long mappedEnd) {
        if (file == null) {
            return "the device does not answer, or is gone";
        }
        try {
            long end = file.endBytes();
            return end < mappedEnd
                    ? "the file was truncated to " + end + " bytes; remap it to its length, or map it anew"
                    : "the file is as long as it was, so its disk or its memory failed; see the kernel's log";
        } catch (LinuxException e) {
            return "and the file does not tell how long it is: " + e.getMessage();
        }
    }
}
