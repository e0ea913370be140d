package dev.outboard.bench;

import java.util.List;
import java.util.Locale;

/**
 * A chart of lines over categories, as a part of an SVG picture.
 *
 * @param title what it shows
 * @param categories along the horizontal axis, at even distances
 * @param axis what these are
 * @param unit of the values
 * @param series the lines, each with a value for each category
 */
record LineChart(String title, List<String> categories, String axis, String unit, List<Series> series) {
    static final int WIDTH = 400;
    static final int HEIGHT = 320;

    private static final int LEFT = 50;
    private static final int RIGHT = 20;
    private static final int TOP = 60;
    private static final int BOTTOM = 50;
    private static final int PLOT_WIDTH = WIDTH - LEFT - RIGHT;
    private static final int PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;
    private static final int GRID_LINES = 4;
    private static final int LEGEND_STEP = 120;
    private static final List<String> COLOURS = List.of("#3b6ea5", "#c05a2b", "#4f8a3c", "#7a4f9a");

    /**
     * A line.
     *
     * @param name what it is of
     * @param values one for each category
     */
    record Series(String name, List<Double> values) {}

    /** Charts side by side. */
    static String svg(String title, List<LineChart> charts) {
        StringBuilder svg = new StringBuilder();
        append(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                        + " font-size=\"12\">",
                WIDTH * charts.size(),
                HEIGHT + 30);
        append(svg, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>");
        text(svg, WIDTH * charts.size() / 2.0, 20, "middle", title);
        for (int i = 0; i < charts.size(); i++) {
            append(svg, "<g transform=\"translate(%d 30)\">", i * WIDTH);
            charts.get(i).draw(svg);
            append(svg, "</g>");
        }
        append(svg, "</svg>");
        return svg.toString();
    }

    private void draw(StringBuilder svg) {
        double most = scale(series.stream()
                .flatMap(line -> line.values().stream())
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(1));
        text(svg, LEFT, 20, "start", title + ", " + unit);
        for (int i = 0; i <= GRID_LINES; i++) {
            double y = y(most * i / GRID_LINES, most);
            append(
                    svg,
                    "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ccc\"/>",
                    LEFT,
                    y,
                    LEFT + PLOT_WIDTH,
                    y);
            text(svg, LEFT - 6, y + 4, "end", String.format(Locale.ROOT, "%.3g", most * i / GRID_LINES));
        }
        for (int i = 0; i < categories.size(); i++) {
            text(svg, x(i), HEIGHT - BOTTOM + 18, "middle", categories.get(i));
        }
        text(svg, LEFT + PLOT_WIDTH / 2.0, HEIGHT - 12, "middle", axis);
        for (int i = 0; i < series.size(); i++) {
            draw(svg, series.get(i), i, most);
        }
    }

    private void draw(StringBuilder svg, Series line, int index, double most) {
        String colour = COLOURS.get(index % COLOURS.size());
        StringBuilder points = new StringBuilder();
        for (int i = 0; i < line.values().size(); i++) {
            double value = line.values().get(i);
            points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(i), y(value, most)));
            append(
                    svg,
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"><title>%s: %.3f</title></circle>",
                    x(i),
                    y(value, most),
                    colour,
                    line.name(),
                    value);
        }
        append(
                svg,
                "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>",
                points.toString().strip(),
                colour);
        double legend = LEFT + (double) index * LEGEND_STEP;
        append(svg, "<rect x=\"%.1f\" y=\"32\" width=\"10\" height=\"10\" fill=\"%s\"/>", legend, colour);
        text(svg, legend + 14, 41, "start", line.name());
    }

    private double x(int category) {
        return LEFT + (category + 0.5) * PLOT_WIDTH / categories.size();
    }

    private static double y(double value, double most) {
        return TOP + PLOT_HEIGHT * (1 - value / most);
    }

    /** The next of 1, 2, 4, 10, 20, …: quarters of it are short numbers. */
    private static double scale(double largest) {
        double power = Math.pow(10, Math.floor(Math.log10(largest)));
        for (double step : new double[] {1, 2, 4}) {
            if (largest <= step * power) {
                return step * power;
            }
        }
        return 10 * power;
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
        append(svg, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x, y, anchor, text);
    }

    @SuppressWarnings("AnnotateFormatMethod") // The annotation is in a library for which this alone would need it.
    private static void append(StringBuilder svg, String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
