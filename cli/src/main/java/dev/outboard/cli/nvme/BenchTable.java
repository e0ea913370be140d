package dev.outboard.cli.nvme;

import dev.outboard.driver.ByteSize;
import dev.outboard.nvme.load.LoadOptions;
import dev.outboard.nvme.load.LoadResult;

/** Results of loads as a table for people. */
final class BenchTable {
    static final String HEADER = String.format(
            "%-10s %6s %5s %12s %10s %9s %9s %9s %9s %7s %7s",
            "op", "block", "depth", "IOPS", "MiB/s", "mean µs", "p50 µs", "p99 µs", "p99.9 µs", "errors", "B/op");

    private static final int PERCENT = 100;
    private static final int BAR_WIDTH = 60;

    private BenchTable() {}

    static String title(LoadOptions options) {
        return options.operation() + ", " + new ByteSize(options.blockSizeBytes()) + ", queue depth "
                + options.queueDepth();
    }

    /** How long requests took, a line for each bucket. */
    static String histogram(LoadResult result) {
        StringBuilder text = new StringBuilder();
        for (LoadResult.Bucket bucket : result.histogram()) {
            double share = (double) bucket.requests() / Math.max(1, result.operations());
            text.append(String.format(
                            "up to %,10.1f µs %6.2f %% %s",
                            bucket.toMicros(), share * PERCENT, "#".repeat((int) Math.round(share * BAR_WIDTH)))
                    .stripTrailing());
            text.append('\n');
        }
        return text.toString();
    }

    static String row(LoadOptions options, LoadResult result) {
        LoadResult.Latency latency = result.latency();
        return String.format(
                "%-10s %6s %5d %,12d %,10.0f %9.2f %9.2f %9.2f %9.2f %7d %7.1f",
                options.operation(),
                new ByteSize(options.blockSizeBytes()),
                options.queueDepth(),
                Math.round(result.iops()),
                result.mibPerSecond(),
                latency.mean(),
                latency.p50(),
                latency.p99(),
                latency.p999(),
                result.errors(),
                result.allocatedBytesPerOperation());
    }
}
