package dev.outboard.cli.nvme;

import dev.outboard.cli.SvgChart;
import dev.outboard.nvme.load.LoadResult;
import java.util.List;
import java.util.Locale;

/** A drawing of how long requests took: a bar for each bucket of the histogram, the percentiles in words. */
final class BenchPlot {
    private static final double PERCENT = 100;
    private static final double WITHOUT_TENTHS = 100;

    private BenchPlot() {}

    static String svg(String title, LoadResult result) {
        LoadResult.Latency latency = result.latency();
        double total = Math.max(1, result.operations());
        List<LoadResult.Bucket> buckets = result.histogram();
        String percentiles = String.format(
                Locale.ROOT,
                "mean %.2f, p50 %.2f, p90 %.2f, p99 %.2f, p99.9 %.2f, max %.2f µs",
                latency.mean(),
                latency.p50(),
                latency.p90(),
                latency.p99(),
                latency.p999(),
                latency.max());
        SvgChart chart = new SvgChart(
                String.format(Locale.ROOT, "%,d IOPS, %,.0f MiB/s", Math.round(result.iops()), result.mibPerSecond()),
                "% of the requests",
                buckets.stream()
                        .map(bucket -> String.format(
                                Locale.ROOT, bucket.toMicros() < WITHOUT_TENTHS ? "%.1f" : "%,.0f", bucket.toMicros()))
                        .toList(),
                "took up to, µs",
                SvgChart.Kind.BARS,
                List.of(new SvgChart.Series(
                        percentiles,
                        buckets.stream()
                                .map(bucket -> bucket.requests() / total * PERCENT)
                                .toList())));
        return SvgChart.svg(title, List.of(chart));
    }
}
