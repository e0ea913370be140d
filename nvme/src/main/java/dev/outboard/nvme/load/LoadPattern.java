package dev.outboard.nvme.load;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/**
 * What a load writes so that it knows it again: numbers that depend on the place, and on the run, so that what an earlier
 * run left does not pass. A place always gets the same, so requests to it may overtake each other.
 */
final class LoadPattern {
    private static final long MULTIPLIER = 0x9e3779b97f4a7c15L;

    private final MemorySegment memory;
    private final long requestBytes;
    private final BitSet written;
    private final long seed = System.nanoTime() * MULTIPLIER;

    /** Of each buffer: the place that it is written to, or, less one and negated, that it was read from; or nothing. */
    private final long[] use;

    private long verified;
    private long mismatches;

    LoadPattern(MemorySegment memory, long requestBytes, long places, int depth) {
        if (places > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    places + " places are too many to verify; use less of the namespace: --span");
        }
        this.memory = memory;
        this.requestBytes = requestBytes;
        written = new BitSet((int) places);
        use = new long[depth];
    }

    /** A buffer is about to be on its way. What was not written before is not compared. */
    void prepare(int buffer, long place, boolean reads) {
        if (!reads) {
            long from = buffer * requestBytes;
            for (long at = 0; at < requestBytes; at += Long.BYTES) {
                memory.set(ValueLayout.JAVA_LONG, from + at, word(place, at));
            }
            use[buffer] = place;
        } else {
            use[buffer] = written.get((int) place) ? -1 - place : Long.MAX_VALUE;
        }
    }

    void completed(int buffer) {
        long place = use[buffer];
        if (place < 0) {
            verify(buffer, -1 - place);
        } else if (place != Long.MAX_VALUE) {
            written.set((int) place);
        }
    }

    /** Compares what was read from a place. */
    void verify(int buffer, long place) {
        verified++;
        long from = buffer * requestBytes;
        for (long at = 0; at < requestBytes; at += Long.BYTES) {
            if (memory.get(ValueLayout.JAVA_LONG, from + at) != word(place, at)) {
                mismatches++;
                return;
            }
        }
    }

    private long word(long place, long at) {
        return (seed + place * requestBytes + at) * MULTIPLIER;
    }

    /** The next place that was written, or -1. */
    long next(long from) {
        return written.nextSetBit((int) from);
    }

    long verified() {
        return verified;
    }

    long mismatches() {
        return mismatches;
    }
}
