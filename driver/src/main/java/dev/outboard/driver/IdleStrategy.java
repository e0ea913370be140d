package dev.outboard.driver;

import java.io.IOException;

/**
 * How a thread that polls passes the time without work: it spins, after 20 µs lets others have the processor, and after 2
 * ms sleeps, for 1 ms at a time and after a second for 4 ms. So work that comes often is found at once, and a thread that
 * has none takes next to no processor time. One thread.
 */
public final class IdleStrategy {
    private static final int POLLS_BETWEEN_CLOCKS = 64;
    private static final long YIELD_NANOS = 20_000;
    private static final long SPIN_NANOS = 2_000_000;
    private static final int SHORT_SLEEP_MILLIS = 1;
    // A wake-up costs up to 20 us of CPU time on a virtual machine: 2 % of a CPU at one a millisecond, 0.5 % at this.
    private static final int LONG_SLEEP_MILLIS = 4;
    private static final long LONG_IDLE_NANOS = 1_000_000_000;

    private final Sleep sleep;
    private int idlePolls;
    private long idleSinceNanos;

    /** How the thread sleeps. */
    @FunctionalInterface
    public interface Sleep {
        /**
         * Sleeps until something comes that the thread has to look at.
         *
         * @param timeoutMillis how long at most
         * @return how much came; 0 if nothing did
         * @throws IOException if what it waits for fails
         */
        int sleep(int timeoutMillis) throws IOException;
    }

    /**
     * A thread that has just worked.
     *
     * @param sleep how it sleeps
     */
    public IdleStrategy(Sleep sleep) {
        this.sleep = sleep;
    }

    /** There was work. */
    public void worked() {
        idlePolls = 0;
    }

    /**
     * There was no work: passes some time until the next poll.
     *
     * @throws IOException if sleeping fails
     */
    @SuppressWarnings("ThreadPriorityCheck") // Nothing relies on it.
    public void idle() throws IOException {
        if (++idlePolls % POLLS_BETWEEN_CLOCKS != 0) {
            Thread.onSpinWait();
        } else if (idlePolls == POLLS_BETWEEN_CLOCKS) {
            idleSinceNanos = System.nanoTime();
        } else {
            long idleNanos = System.nanoTime() - idleSinceNanos;
            if (idleNanos >= SPIN_NANOS) {
                int came = sleep.sleep(idleNanos < LONG_IDLE_NANOS ? SHORT_SLEEP_MILLIS : LONG_SLEEP_MILLIS);
                // Without work the next poll that finds nothing sleeps again.
                idlePolls = came > 0 ? 0 : 2 * POLLS_BETWEEN_CLOCKS - 1;
            } else if (idleNanos >= YIELD_NANOS) {
                // Whoever brings work may be waiting for this very processor.
                Thread.yield();
            }
        }
    }
}
