package dev.outboard.nvme.load;

import org.HdrHistogram.Histogram;

/**
 * What a load reached.
 *
 * @param seconds how long it was measured
 * @param operations how many requests were done in that time
 * @param bytes how many bytes they transferred
 * @param errors how many of them failed
 * @param allocatedBytes how much the polling thread allocated in that time
 * @param latency how long requests took
 */
public record LoadResult(
        double seconds, long operations, long bytes, long errors, long allocatedBytes, Latency latency) {
    private static final double BYTES_A_MIB = 1 << 20;

    /**
     * How long requests took, from submission to completion, in microseconds.
     *
     * @param mean the mean
     * @param p50 the median
     * @param p99 the 99th percentile
     * @param p999 the 99.9th percentile
     * @param p9999 the 99.99th percentile
     * @param max the longest
     */
    public record Latency(double mean, double p50, double p99, double p999, double p9999, double max) {
        private static final double NANOS_A_MICRO = 1_000;

        static Latency of(Histogram nanos) {
            return new Latency(
                    nanos.getMean() / NANOS_A_MICRO,
                    nanos.getValueAtPercentile(50) / NANOS_A_MICRO,
                    nanos.getValueAtPercentile(99) / NANOS_A_MICRO,
                    nanos.getValueAtPercentile(99.9) / NANOS_A_MICRO,
                    nanos.getValueAtPercentile(99.99) / NANOS_A_MICRO,
                    nanos.getMaxValue() / NANOS_A_MICRO);
        }
    }

    /**
     * Requests a second.
     *
     * @return the mean over the time that was measured
     */
    public double iops() {
        return seconds == 0 ? 0 : operations / seconds;
    }

    /**
     * MiB (2<sup>20</sup> bytes) a second.
     *
     * @return the mean over the time that was measured
     */
    public double mibPerSecond() {
        return seconds == 0 ? 0 : bytes / BYTES_A_MIB / seconds;
    }

    /**
     * What a request costs the collector.
     *
     * @return bytes allocated by the polling thread, per request
     */
    public double allocatedBytesPerOperation() {
        return operations == 0 ? 0 : (double) allocatedBytes / operations;
    }
}
