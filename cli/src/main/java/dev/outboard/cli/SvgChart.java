package dev.outboard.cli;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;

/**
 * A chart over categories, as a part of an SVG picture.
 *
 * @param title what it shows
 * @param unit of the values
 * @param categories along the horizontal axis, at even distances
 * @param axis what these are
 * @param kind how values are drawn
 * @param series what is drawn
 */
public record SvgChart(
        String title, String unit, List<String> categories, String axis, Kind kind, List<Series> series) {
    /** How values are drawn. */
    public enum Kind {
        /** Each series as a line. */
        LINES,
        /** A single series, as a bar in each category. */
        BARS
    }

    /**
     * Values that belong together.
     *
     * @param name what they are of
     * @param values one for each category
     */
    public record Series(String name, List<Double> values) {}

    private static final int WIDTH = 880;
    private static final int HEIGHT = 360;
    private static final int HEADING = 30;
    private static final int LEFT = 50;
    private static final int RIGHT = 15;
    private static final int TOP = 78;
    private static final int BOTTOM = 50;
    private static final int PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;
    private static final int MOST_GRID_LINES = 5;
    private static final int LEGEND_GAP = 14;
    // A little more than the fonts of browsers take on average, at the size below.
    private static final double CHARACTER_WIDTH = 6.8;

    // Okabe and Ito's, which the colour-blind can tell apart; the marks differ as well.
    private static final List<String> COLOURS = List.of("#0072b2", "#d55e00", "#009e73", "#cc79a7");
    private static final List<String> MARKS = List.of(
            "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
            "M-3.2 -3.2h6.4v6.4h-6.4z",
            "M0 -4.6L4.6 0L0 4.6L-4.6 0z",
            "M0 -4.2L4.4 3.4H-4.4z");

    /**
     * Draws charts side by side.
     *
     * @param title of the whole picture
     * @param charts the charts
     * @return the SVG document
     */
    public static String svg(String title, List<SvgChart> charts) {
        StringBuilder svg = new StringBuilder();
        append(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                        + " font-size=\"12\">",
                WIDTH,
                HEIGHT + HEADING);
        append(svg, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>");
        text(svg, WIDTH / 2.0, 20, "middle", title);
        int width = WIDTH / charts.size();
        for (int i = 0; i < charts.size(); i++) {
            append(svg, "<g transform=\"translate(%d %d)\">", i * width, HEADING);
            charts.get(i).draw(svg, width - LEFT - RIGHT);
            append(svg, "</g>");
        }
        append(svg, "</svg>");
        return svg.toString();
    }

    private void draw(StringBuilder svg, int plotWidth) {
        double largest = series.stream()
                .flatMap(each -> each.values().stream())
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(0);
        double step = step(largest);
        int lines = Math.max(1, (int) Math.ceil(largest / step));
        text(svg, LEFT, 18, "start", title);
        text(svg, LEFT, TOP - 12, "start", unit);
        int decimals = Math.max(0, BigDecimal.valueOf(step).stripTrailingZeros().scale());
        for (int i = 0; i <= lines; i++) {
            double y = y(i, lines);
            append(
                    svg,
                    "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ccc\"/>",
                    LEFT,
                    y,
                    LEFT + plotWidth,
                    y);
            text(svg, LEFT - 6, y + 4, "end", String.format(Locale.ROOT, "%." + decimals + "f", i * step));
        }
        drawCategories(svg, plotWidth);
        double legend = LEFT;
        for (int i = 0; i < series.size(); i++) {
            Series each = series.get(i);
            if (kind == Kind.BARS) {
                bars(svg, each, plotWidth, lines * step);
            } else {
                line(svg, each, i, plotWidth, lines * step);
            }
            mark(svg, i, legend + 5, 36, "");
            text(svg, legend + LEGEND_GAP, 40, "start", each.name());
            legend += LEGEND_GAP + each.name().length() * CHARACTER_WIDTH + LEGEND_GAP;
        }
    }

    /** As many of their names as have room. */
    private void drawCategories(StringBuilder svg, int plotWidth) {
        double widest = (1 + categories.stream().mapToInt(String::length).max().orElse(0)) * CHARACTER_WIDTH;
        int every = Math.max(1, (int) Math.ceil(widest * categories.size() / plotWidth));
        for (int i = 0; i < categories.size(); i += every) {
            text(svg, x(i, plotWidth), HEIGHT - BOTTOM + 18, "middle", categories.get(i));
        }
        text(svg, LEFT + plotWidth / 2.0, HEIGHT - 10, "middle", axis);
    }

    private void line(StringBuilder svg, Series line, int index, int plotWidth, double most) {
        StringBuilder points = new StringBuilder();
        for (int i = 0; i < line.values().size(); i++) {
            double value = line.values().get(i);
            double x = x(i, plotWidth);
            double y = y(value, most);
            points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y));
            mark(svg, index, x, y, String.format(Locale.ROOT, "%s: %.3f", line.name(), value));
        }
        append(
                svg,
                "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>",
                points.toString().strip(),
                colour(index));
    }

    private void bars(StringBuilder svg, Series bars, int plotWidth, double most) {
        double width = Math.max(1, (double) plotWidth / categories.size() - 2);
        for (int i = 0; i < bars.values().size(); i++) {
            double value = bars.values().get(i);
            append(
                    svg,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"><title>%.3f</title></rect>",
                    x(i, plotWidth) - width / 2,
                    y(value, most),
                    width,
                    TOP + PLOT_HEIGHT - y(value, most),
                    colour(0),
                    value);
        }
    }

    private static void mark(StringBuilder svg, int index, double x, double y, String title) {
        append(
                svg,
                "<path d=\"%s\" transform=\"translate(%.1f %.1f)\" fill=\"%s\"><title>%s</title></path>",
                MARKS.get(index % MARKS.size()),
                x,
                y,
                colour(index),
                escaped(title));
    }

    private static String colour(int index) {
        return COLOURS.get(index % COLOURS.size());
    }

    private double x(int category, int plotWidth) {
        return LEFT + (category + 0.5) * plotWidth / categories.size();
    }

    private static double y(double value, double most) {
        return TOP + PLOT_HEIGHT * (1 - value / most);
    }

    /** The distance of grid lines: the least of 1, 2, 5, 10, 20, … with which there are not too many. */
    private static double step(double largest) {
        double least = largest > 0 ? largest / MOST_GRID_LINES : 1;
        double power = Math.pow(10, Math.floor(Math.log10(least)));
        for (double step : new double[] {1, 2, 5}) {
            if (least <= step * power) {
                return step * power;
            }
        }
        return 10 * power;
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
        append(svg, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x, y, anchor, escaped(text));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;");
    }

    @SuppressWarnings("AnnotateFormatMethod") // The annotation is in a library for which this alone would need it.
    private static void append(StringBuilder svg, String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
