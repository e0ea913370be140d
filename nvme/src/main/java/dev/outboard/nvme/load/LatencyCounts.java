package dev.outboard.nvme.load;

import org.HdrHistogram.Histogram;

/**
 * Counts latencies in buckets of a thousandth of their size, in ten instructions each: a histogram's own recording takes
 * as long as a tenth of what the driver does for a request.
 */
final class LatencyCounts {
    private static final long LONGEST_NANOS = 60_000_000_000L;
    private static final int HISTOGRAM_DIGITS = 3;
    /** Each power of two is divided into so many buckets, as a power of two. */
    private static final int PRECISION_BITS = 10;

    private final long[] counts = new long[index(LONGEST_NANOS) + 1];

    private static int shift(long nanos) {
        return Math.max(0, Long.SIZE - 1 - PRECISION_BITS - Long.numberOfLeadingZeros(nanos));
    }

    private static int index(long nanos) {
        int shift = shift(nanos);
        return (shift << PRECISION_BITS) + (int) (nanos >>> shift);
    }

    /** Counts one, as the longest if it is longer. */
    void record(long nanos) {
        counts[index(Math.min(LONGEST_NANOS, nanos))]++;
    }

    /** What was counted. */
    Histogram histogram() {
        Histogram histogram = new Histogram(LONGEST_NANOS, HISTOGRAM_DIGITS);
        for (int index = 0; index < counts.length; index++) {
            if (counts[index] != 0) {
                int shift = Math.max(0, (index >>> PRECISION_BITS) - 1);
                long first = (long) (index - (shift << PRECISION_BITS)) << shift;
                histogram.recordValueWithCount(Math.min(LONGEST_NANOS, first + (1L << shift) / 2), counts[index]);
            }
        }
        return histogram;
    }
}
