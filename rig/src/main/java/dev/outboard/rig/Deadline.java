package dev.outboard.rig;

import java.time.Duration;

/** A moment after which nobody waits any longer. */
record Deadline(long nanoTime) {
    static Deadline after(Duration duration) {
        return new Deadline(System.nanoTime() + duration.toNanos());
    }

    long remainingNanos() {
        return nanoTime - System.nanoTime();
    }

    boolean isOver() {
        return remainingNanos() <= 0;
    }

    /** What is left, at least 1, since 0 means "for ever" to selectors. */
    long remainingMillis() {
        return Math.max(1, remainingNanos() / 1_000_000);
    }
}
