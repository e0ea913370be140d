package dev.outboard.linux;

/** The system calls as a whole. */
public final class SystemCalls {
    private SystemCalls() {}

    /**
     * Links the C library's functions now, which otherwise the first call of one does: some tens of milliseconds, which a
     * program that still has something else to do can spend on another thread.
     */
    public static void linkAhead() {
        Libc.link();
    }
}
