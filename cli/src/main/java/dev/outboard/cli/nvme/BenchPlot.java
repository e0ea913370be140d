package dev.outboard.cli.nvme;

import dev.outboard.nvme.load.LoadResult;
import java.util.List;
import java.util.Locale;

/** A drawing of how long requests took: a bar for each bucket of the histogram, the percentiles in words. */
final class BenchPlot {
    private static final int WIDTH = 720;
    private static final int HEIGHT = 360;
    private static final int LEFT = 60;
    private static final int TOP = 60;
    private static final int PLOT_WIDTH = WIDTH - LEFT - 20;
    private static final int PLOT_HEIGHT = HEIGHT - TOP - 60;
    private static final int LINES = 4;
    private static final double PERCENT = 100;

    private BenchPlot() {}

    static String svg(String title, LoadResult result) {
        List<LoadResult.Bucket> buckets = result.histogram();
        double total = Math.max(1, result.operations());
        double most =
                buckets.stream().mapToLong(LoadResult.Bucket::requests).max().orElse(1) / total;
        StringBuilder svg = new StringBuilder();
        svg.append(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                        + " font-size=\"12\">\n",
                WIDTH,
                HEIGHT));
        svg.append(String.format(Locale.ROOT, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"));
        text(svg, LEFT, 22, "start", title);
        LoadResult.Latency latency = result.latency();
        text(
                svg,
                LEFT,
                42,
                "start",
                String.format(
                        Locale.ROOT,
                        "%,d IOPS, %,.0f MiB/s; mean %.2f, p50 %.2f, p90 %.2f, p99 %.2f, p99.9 %.2f, max %.2f µs",
                        Math.round(result.iops()),
                        result.mibPerSecond(),
                        latency.mean(),
                        latency.p50(),
                        latency.p90(),
                        latency.p99(),
                        latency.p999(),
                        latency.max()));
        for (int i = 0; i <= LINES; i++) {
            double y = TOP + PLOT_HEIGHT - (double) PLOT_HEIGHT * i / LINES;
            svg.append(String.format(
                    Locale.ROOT,
                    "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ccc\"/>\n",
                    LEFT,
                    y,
                    LEFT + PLOT_WIDTH,
                    y));
            text(svg, LEFT - 6, y + 4, "end", String.format(Locale.ROOT, "%.1f %%", most * i / LINES * PERCENT));
        }
        double step = (double) PLOT_WIDTH / Math.max(1, buckets.size());
        for (int i = 0; i < buckets.size(); i++) {
            LoadResult.Bucket bucket = buckets.get(i);
            double height = PLOT_HEIGHT * (bucket.requests() / total) / most;
            svg.append(String.format(
                    Locale.ROOT,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#3b6ea5\"/>\n",
                    LEFT + i * step + 1,
                    TOP + PLOT_HEIGHT - height,
                    Math.max(1, step - 2),
                    height));
            text(
                    svg,
                    LEFT + (i + 0.5) * step,
                    TOP + PLOT_HEIGHT + 16,
                    "middle",
                    String.format(Locale.ROOT, "%.4g", bucket.toMicros()));
        }
        text(svg, LEFT + PLOT_WIDTH / 2.0, HEIGHT - 14, "middle", "took up to, µs");
        svg.append(String.format(Locale.ROOT, "</svg>\n"));
        return svg.toString();
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
        svg.append(String.format(
                Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, text));
    }
}
