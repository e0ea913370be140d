package dev.outboard.cli.nvme;

import dev.outboard.driver.ByteSize;
import dev.outboard.nvme.load.LoadOptions;
import dev.outboard.nvme.load.LoadResult;

/** Results of loads as a table for people. */
final class BenchTable {
    static final String HEADER = String.format(
            "%-10s %6s %5s %12s %10s %9s %9s %9s %9s %7s %7s",
            "op", "block", "depth", "IOPS", "MiB/s", "mean µs", "p50 µs", "p99 µs", "p99.9 µs", "errors", "B/op");

    private BenchTable() {}

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
