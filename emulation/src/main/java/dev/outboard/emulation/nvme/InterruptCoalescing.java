package dev.outboard.emulation.nvme;

import dev.outboard.emulation.InterruptLines;
import dev.outboard.specs.nvme.Feature;
import org.jspecify.annotations.Nullable;

/**
 * When a completion queue's vector fires: at once, or for several completions together. NVMe base specification 2.0,
 * 5.27.1.6. The admin queue never waits.
 */
final class InterruptCoalescing {
    private static final long NANOS_PER_UNIT = 100_000;

    private final InterruptLines lines;
    private final @Nullable CompletionQueue[] queues;
    private final boolean[] immediate;
    private int threshold;
    private long limitNanos;
    private boolean waiting;

    InterruptCoalescing(InterruptLines lines, @Nullable CompletionQueue[] queues) {
        this.lines = lines;
        this.queues = queues;
        immediate = new boolean[lines.msixVectors()];
    }

    /** Takes the settings over from the features. */
    void configure(Features features) {
        int setting = features.value(Feature.INTERRUPT_COALESCING);
        threshold = (int) Feature.COALESCING_THRESHOLD.get(setting);
        limitNanos = Feature.COALESCING_TIME.get(setting) * NANOS_PER_UNIT;
        for (int vector = 0; vector < immediate.length; vector++) {
            int configuration = features.value(Feature.INTERRUPT_VECTOR_CONFIGURATION, vector);
            immediate[vector] = Feature.COALESCING_DISABLED.isSet(configuration);
        }
    }

    /** Tells the driver that entries were posted, now or with later ones. */
    void raise(CompletionQueue queue, int posted) {
        if (!queue.interruptsEnabled() || !lines.isConnected(queue.vector())) {
            return;
        }
        boolean waits = threshold != 0 && limitNanos != 0 && queue.id() != 0 && !immediate[queue.vector()];
        if (waits && queue.coalesce(posted) <= threshold) {
            waiting = true;
        } else {
            queue.interrupted();
            lines.raise(queue.vector());
        }
    }

    /** Raises what has waited long enough; returns whether something waits, so that the clock is looked at again. */
    int raiseOverdue() {
        if (!waiting) {
            return 0;
        }
        waiting = false;
        long now = System.nanoTime();
        for (CompletionQueue queue : queues) {
            if (queue == null || !queue.isCoalescing()) {
                continue;
            }
            if (queue.isOverdue(now, limitNanos)) {
                queue.interrupted();
                lines.raise(queue.vector());
            } else {
                waiting = true;
            }
        }
        return 1;
    }
}
