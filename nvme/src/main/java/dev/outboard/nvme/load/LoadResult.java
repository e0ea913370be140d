package dev.outboard.nvme.load;

import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/**
 * What a load reached.
 *
 * @param seconds how long it was measured
 * @param operations how many requests were done in that time
 * @param bytes how many bytes they transferred
 * @param errors how many of them failed
 * @param allocatedBytes how much the polling thread allocated in that time
 * @param verified how many places were compared with what was written to them
 * @param mismatches how many of these had something else
 * @param latency how long requests took
 * @param histogram the same in buckets whose bounds double
 */
public record LoadResult(
        double seconds,
        long operations,
        long bytes,
        long errors,
        long allocatedBytes,
        long verified,
        long mismatches,
        Latency latency,
        List<Bucket> histogram) {
    private static final double BYTES_A_MIB = 1 << 20;

    /**
     * How long requests took, from submission to completion, in microseconds.
     *
     * @param mean the mean
     * @param p50 the median
     * @param p90 the 90th percentile
     * @param p99 the 99th percentile
     * @param p999 the 99.9th percentile
     * @param p9999 the 99.99th percentile
     * @param max the longest
     */
    public record Latency(double mean, double p50, double p90, double p99, double p999, double p9999, double max) {
        private static final double NANOS_A_MICRO = 1_000;

        static Latency of(Histogram nanos) {
            return new Latency(
                    nanos.getMean() / NANOS_A_MICRO,
                    nanos.getValueAtPercentile(50) / NANOS_A_MICRO,
                    nanos.getValueAtPercentile(90) / NANOS_A_MICRO,
                    nanos.getValueAtPercentile(99) / NANOS_A_MICRO,
                    nanos.getValueAtPercentile(99.9) / NANOS_A_MICRO,
                    nanos.getValueAtPercentile(99.99) / NANOS_A_MICRO,
                    nanos.getMaxValue() / NANOS_A_MICRO);
        }
    }

    /**
     * Requests that took about as long.
     *
     * @param toMicros they took up to this, and more than the bucket before
     * @param requests how many they are
     */
    public record Bucket(double toMicros, long requests) {
        private static final double NANOS_A_MICRO = 1_000;
        private static final int FIRST_NANOS = 256;

        static List<Bucket> of(Histogram nanos) {
            List<Bucket> buckets = new ArrayList<>();
            for (HistogramIterationValue value : nanos.logarithmicBucketValues(FIRST_NANOS, 2)) {
                long requests = value.getCountAddedInThisIterationStep();
                if (requests != 0 || !buckets.isEmpty()) {
                    buckets.add(new Bucket(value.getValueIteratedTo() / NANOS_A_MICRO, requests));
                }
            }
            return List.copyOf(buckets);
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
