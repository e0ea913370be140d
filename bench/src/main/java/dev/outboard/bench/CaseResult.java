package dev.outboard.bench;

import dev.outboard.cli.Json;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one case reached, or why it was not measured.
 *
 * @param name the comparison
 * @param what the case of it
 * @param unit of both sides
 * @param peer who the other side is
 * @param figures of the rounds; null if it was not measured
 * @param notMeasured why it was not measured; null if it was
 */
public record CaseResult(
        String name,
        String what,
        Unit unit,
        String peer,
        @Nullable Figures figures,
        @Nullable String notMeasured) {

    /**
     * The figures of a case that was measured.
     *
     * @param ours one a round
     * @param theirs one a round
     * @param pingPongBefore the round trip of a cache line between the two processors before the rounds, in nanoseconds
     * @param pingPongAfter and after them
     * @param loadAverage the machine's, over the last minute
     */
    public record Figures(
            List<Double> ours, List<Double> theirs, double pingPongBefore, double pingPongAfter, double loadAverage) {
        /** Copies the rounds. */
        public Figures {
            ours = List.copyOf(ours);
            theirs = List.copyOf(theirs);
        }

        double[] oursByRound() {
            return ours.stream().mapToDouble(Double::doubleValue).toArray();
        }

        double[] theirsByRound() {
            return theirs.stream().mapToDouble(Double::doubleValue).toArray();
        }

        /** The smaller of the two; what was not read is NaN, and does not count. */
        double pingPong() {
            return Double.isNaN(pingPongBefore)
                    ? pingPongAfter
                    : Double.isNaN(pingPongAfter) ? pingPongBefore : Math.min(pingPongBefore, pingPongAfter);
        }
    }

    static CaseResult measured(Comparison comparison, String what, Unit unit, String peer, Figures figures) {
        return new CaseResult(comparison.name(), what, unit, peer, figures, null);
    }

    static CaseResult notMeasured(Comparison comparison, String what, String peer, String reason) {
        return new CaseResult(comparison.name(), what, comparison.unit(), peer, null, reason);
    }

    /**
     * The case as {@code --json} prints it.
     *
     * @return a JSON object
     */
    public Map<String, @Nullable Object> json() {
        Map<String, @Nullable Object> json = Json.object();
        json.put("name", name);
        json.put("case", what);
        json.put("unit", unit.toString());
        if (figures == null) {
            for (String field : List.of("ours", "theirs", "ratio")) {
                json.put(field, null);
            }
        } else {
            double ours = Unit.median(figures.oursByRound());
            double theirs = Unit.median(figures.theirsByRound());
            json.put("ours", Json.rounded(ours));
            json.put("theirs", Json.rounded(theirs));
            json.put("ratio", Json.rounded(unit.ratio(ours, theirs)));
        }
        json.put("peer", peer);
        json.put("rounds", figures == null ? 0 : figures.ours().size());
        json.put("pingPongNanos", figures == null ? null : number(figures.pingPong()));
        if (figures == null) {
            json.put("notMeasured", notMeasured);
            return json;
        }
        double bestOurs = unit.best(figures.oursByRound());
        double bestTheirs = unit.best(figures.theirsByRound());
        json.put("bestOurs", Json.rounded(bestOurs));
        json.put("bestTheirs", Json.rounded(bestTheirs));
        json.put("bestRatio", Json.rounded(unit.ratio(bestOurs, bestTheirs)));
        json.put("oursByRound", rounded(figures.oursByRound()));
        json.put("theirsByRound", rounded(figures.theirsByRound()));
        json.put("pingPongNanosBefore", number(figures.pingPongBefore()));
        json.put("pingPongNanosAfter", number(figures.pingPongAfter()));
        json.put("loadAverage", Json.rounded(figures.loadAverage()));
        return json;
    }

    /** JSON has no NaN. */
    private static @Nullable Double number(double value) {
        return Double.isNaN(value) ? null : value;
    }

    private static List<Double> rounded(double[] figures) {
        return Arrays.stream(figures).mapToObj(Json::rounded).toList();
    }
}
