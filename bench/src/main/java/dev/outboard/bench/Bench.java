package dev.outboard.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Measures the cases of one comparison: rounds of one side and the other in turn, so that what disturbs the machine
 * disturbs both, between two looks at how far apart the two processors are.
 */
final class Bench {
    private final Comparison comparison;
    private final String peer;
    private final PingPong pingPong;
    private final Consumer<CaseResult> results;
    private final Set<String> reported = new HashSet<>();
    private double lastPingPong = Double.NaN;

    Bench(Comparison comparison, String peer, PingPong pingPong, Consumer<CaseResult> results) {
        this.comparison = comparison;
        this.peer = peer;
        this.pingPong = pingPong;
        this.results = results;
    }

    /** One of the two sides of a case whose rounds have several figures. */
    @FunctionalInterface
    interface SideOfMany {
        /** Measures one round. Returns a figure for each quantity of the case; NaN for what this side does not know. */
        double[] round() throws IOException;
    }

    /** Measures one case. A side that fails makes it one that was not measured. */
    void measure(String what, int rounds, Side ours, Side theirs) {
        measure(what, rounds, List.of(new Quantity("", comparison.unit())), () -> new double[] {ours.round()}, () ->
                new double[] {theirs.round()});
    }

    /** The same with several figures a round, each of which is a case of its own in the results. */
    void measure(String what, int rounds, List<Quantity> quantities, SideOfMany ours, SideOfMany theirs) {
        // What was read after the case before this one is recent enough.
        double before = Double.isNaN(lastPingPong) ? pingPong.nanos() : lastPingPong;
        List<double[]> oursByRound = new ArrayList<>();
        List<double[]> theirsByRound = new ArrayList<>();
        try {
            for (int round = 0; round < rounds; round++) {
                // Who goes first changes: neither always inherits the other's caches and clock frequency.
                if (round % 2 == 0) {
                    oursByRound.add(ours.round());
                    theirsByRound.add(theirs.round());
                } else {
                    theirsByRound.add(theirs.round());
                    oursByRound.add(ours.round());
                }
            }
        } catch (IOException e) {
            lastPingPong = Double.NaN;
            notMeasured(what, reason(e));
            return;
        }
        lastPingPong = pingPong.nanos();
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        for (int i = 0; i < quantities.size(); i++) {
            List<Double> oursOfIt = column(oursByRound, i);
            List<Double> theirsOfIt = column(theirsByRound, i);
            if (!oursOfIt.contains(Double.NaN) && !theirsOfIt.contains(Double.NaN)) {
                report(CaseResult.measured(
                        comparison,
                        what + quantities.get(i).suffix(),
                        quantities.get(i).unit(),
                        peer,
                        new CaseResult.Figures(oursOfIt, theirsOfIt, before, lastPingPong, load)));
            }
        }
    }

    private static List<Double> column(List<double[]> rounds, int index) {
        return rounds.stream().map(round -> round[index]).toList();
    }

    private void notMeasured(String what, String reason) {
        report(CaseResult.notMeasured(comparison, what, peer, reason));
    }

    /** Says why the cases that were not reported before were not measured. */
    void restNotMeasured(Settings settings, IOException reason) {
        for (String what : comparison.cases()) {
            if (settings.wants(what) && !reported.contains(what)) {
                notMeasured(what, reason(reason));
            }
        }
    }

    private void report(CaseResult result) {
        reported.add(result.what());
        results.accept(result);
    }

    private static String reason(IOException exception) {
        String message = exception.getMessage();
        return message == null ? exception.toString() : message;
    }
}
