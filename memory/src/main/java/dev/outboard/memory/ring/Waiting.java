package dev.outboard.memory.ring;

import dev.outboard.linux.LinuxException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The state of one wait: spinning, then sleeping, never beyond the deadline. One object for each side, used again. */
final class Waiting {
    static final Duration DEFAULT_SPIN = Duration.ofNanos(20_000);

    // A sleep is no longer than this, so that a peer that was killed is noticed.
    private static final long SLICE_NANOS = 50_000_000;
    /** Reading the clock takes as long as some looks. */
    static final int LOOKS_BETWEEN_CLOCKS = 128;

    private long spinNanos = DEFAULT_SPIN.toNanos();
    private long spinUntil;
    private long deadline;

    void spin(Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("a time to spin must not be negative: " + duration);
        }
        spinNanos = nanos(duration);
    }

    static long nanos(Duration duration) {
        return TimeUnit.NANOSECONDS.convert(duration);
    }

    void begin(Duration timeout) {
        long now = System.nanoTime();
        deadline = later(now, Math.max(0, nanos(timeout)));
        spinUntil = later(now, Math.min(spinNanos, deadline - now));
    }

    private static long later(long now, long nanos) {
        return now + Math.min(nanos, Long.MAX_VALUE / 2);
    }

    /** Called every {@link #LOOKS_BETWEEN_CLOCKS} looks: whether to go on looking without sleeping. */
    boolean spins() {
        Thread.onSpinWait();
        return System.nanoTime() - spinUntil < 0;
    }

    boolean isOver() {
        return System.nanoTime() - deadline >= 0;
    }

    void sleep(Bell bell, int counter) throws LinuxException {
        bell.sleep(counter, Math.min(SLICE_NANOS, deadline - System.nanoTime()));
    }
}
