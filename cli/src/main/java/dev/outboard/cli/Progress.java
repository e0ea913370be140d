package dev.outboard.cli;

/** Shows on a terminal how far long work is, on one line of standard error; elsewhere it is quiet. */
public final class Progress implements AutoCloseable {
    private static final int PERCENT = 100;

    private final String what;
    private long shown = -1;

    /**
     * Nothing is done yet.
     *
     * @param what the work, for example {@code "verifying"}
     */
    public Progress(String what) {
        this.what = what;
    }

    /**
     * Shows how far it is.
     *
     * @param done how much is done
     * @param total how much there is
     */
    public void show(long done, long total) {
        long percent = done * PERCENT / Math.max(1, total);
        if (Terminal.isInteractive() && percent != shown) {
            shown = percent;
            System.err.printf("\r%s %d %%", what, percent);
        }
    }

    /** Clears the line. */
    @Override
    public void close() {
        if (shown >= 0) {
            System.err.print("\r\u001b[K");
        }
    }
}
