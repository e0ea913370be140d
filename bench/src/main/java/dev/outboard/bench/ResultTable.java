package dev.outboard.bench;

import java.io.PrintStream;
import java.util.Locale;

/** The results for people: a line a case, as soon as it is measured. */
final class ResultTable {
    private static final double MILLION = 1e6;
    private static final String HEADER = "%-28s %11s %11s %7s  %11s %11s %7s  %s%n"
            .formatted("case", "ours", "theirs", "ratio", "best ours", "best theirs", "ratio", "ping-pong ns");

    private final PrintStream out;
    private boolean started;

    ResultTable(PrintStream out) {
        this.out = out;
    }

    void add(CaseResult result) {
        if (!started) {
            started = true;
            out.println(result.name() + " against " + result.peer() + ": medians and bests in "
                    + (result.unit() == Unit.IOPS ? "million IOPS" : result.unit())
                    + "; a ratio above 1: ours is better");
            out.print(HEADER);
        }
        out.print(row(result));
        out.flush();
    }

    static String row(CaseResult result) {
        CaseResult.Figures figures = result.figures();
        if (figures == null) {
            return "%-28s not measured: %s%n".formatted(result.what(), result.notMeasured());
        }
        Unit unit = result.unit();
        double ours = Unit.median(figures.oursByRound());
        double theirs = Unit.median(figures.theirsByRound());
        double bestOurs = unit.best(figures.oursByRound());
        double bestTheirs = unit.best(figures.theirsByRound());
        return String.format(
                Locale.ROOT,
                "%-28s %11.3f %11.3f %7.2f  %11.3f %11.3f %7.2f  %.0f, %.0f%n",
                result.what(),
                shown(unit, ours),
                shown(unit, theirs),
                unit.ratio(ours, theirs),
                shown(unit, bestOurs),
                shown(unit, bestTheirs),
                unit.ratio(bestOurs, bestTheirs),
                figures.pingPongBefore(),
                figures.pingPongAfter());
    }

    private static double shown(Unit unit, double figure) {
        return unit == Unit.IOPS ? figure / MILLION : figure;
    }
}
