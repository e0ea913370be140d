package dev.outboard.nvme;

import dev.outboard.driver.Interrupt;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How the thread of a queue passes the time without completions.
 *
 * @param interrupt what wakes it; null if it polls only
 * @param pollsBeforeSleep how often it looks before it sleeps
 */
record Pause(@Nullable Interrupt interrupt, int pollsBeforeSleep) {
    /** Some 10 to 20 µs, which a fast device does not take. */
    private static final int YIELD_POLLS = 512;

    static final long MAXIMUM_SLEEP_NANOS = 100_000_000;

    /**
     * Passes some time until the next poll.
     *
     * @param idle how many polls have found nothing
     * @return whether it slept
     */
    @SuppressWarnings("ThreadPriorityCheck") // Nothing relies on it.
    boolean pass(int idle, long deadline) throws IOException {
        if (interrupt == null || idle <= pollsBeforeSleep) {
            if (idle % YIELD_POLLS == 0) {
                // Whoever completes the request may be waiting for this very processor.
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
            return false;
        }
        // Bounded, so that a device that is gone is noticed, and a lost interrupt costs time only.
        long nanos = Math.clamp(deadline - System.nanoTime(), 0, MAXIMUM_SLEEP_NANOS);
        interrupt.await(Duration.ofNanos(nanos));
        interrupt.rearm();
        return true;
    }
}
