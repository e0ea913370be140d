package dev.outboard.bench;

import java.util.Arrays;

/** What is measured, and which way is better. */
public enum Unit {
    /** Nanoseconds an access: less is better. */
    NANOS_PER_ACCESS("ns/access", false),
    /** Nanoseconds an update, which is a read and a write: less is better. */
    NANOS_PER_UPDATE("ns/update", false),
    /** Nanoseconds a record, there or there and back: less is better. */
    NANOS_PER_RECORD("ns/record", false),
    /** Microseconds that all but a few requests take at most: less is better. */
    MICROS("µs", false),
    /** Milliseconds: less is better. */
    MILLIS("ms", false),
    /** Mebibytes a second: more is better. */
    MIB_PER_SECOND("MiB/s", true),
    /** Requests a second: more is better. */
    IOPS("IOPS", true);

    private final String text;
    private final boolean moreIsBetter;

    Unit(String text, boolean moreIsBetter) {
        this.text = text;
        this.moreIsBetter = moreIsBetter;
    }

    /**
     * How much better ours is.
     *
     * @param ours our figure
     * @param theirs the peer's
     * @return above 1 if ours is better, whichever way that is
     */
    public double ratio(double ours, double theirs) {
        return moreIsBetter ? ours / theirs : theirs / ours;
    }

    /**
     * The best of some rounds.
     *
     * @param figures one a round, at least one
     * @return the largest or the smallest
     */
    public double best(double[] figures) {
        var all = Arrays.stream(figures);
        return (moreIsBetter ? all.max() : all.min()).orElseThrow();
    }

    /**
     * The median of some rounds.
     *
     * @param figures one a round, at least one
     * @return the middle one, or the mean of the two in the middle
     */
    public static double median(double[] figures) {
        if (figures.length == 0) {
            throw new IllegalArgumentException("there is no median of no rounds");
        }
        double[] sorted = figures.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    @Override
    public String toString() {
        return text;
    }
}
