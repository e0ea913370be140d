package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.Status;

/** The keep alive timer: a host that set it must be heard of in time. NVMe base specification 2.0, 3.9. */
final class KeepAlive {
    /** The granularity of the timer, in units of 100 ms: KAS. */
    static final int GRANULARITY = 1;

    private static final long NANOS_PER_MILLI = 1_000_000;

    private long timeoutNanos;
    private long lastBeatNanos;

    /** Starts the timer, or stops it with 0. */
    void start(int timeoutMillis) {
        timeoutNanos = Integer.toUnsignedLong(timeoutMillis) * NANOS_PER_MILLI;
        beat();
    }

    int beat() {
        lastBeatNanos = System.nanoTime();
        return Status.SUCCESS;
    }

    /** Whether the host is gone. */
    boolean isOver() {
        return timeoutNanos != 0 && System.nanoTime() - lastBeatNanos > timeoutNanos;
    }
}
