package dev.outboard.emulation.fault;

import java.util.random.RandomGenerator;

/** A rule at work: how often it matched, and how often it acted. */
final class RuleState {
    private final FaultRule rule;
    private final RandomGenerator random;
    private final long startNanos;
    private long matches;
    private long acts;

    RuleState(FaultRule rule, RandomGenerator random, long startNanos) {
        this.rule = rule;
        this.random = random;
        this.startNanos = startNanos;
    }

    FaultRule rule() {
        return rule;
    }

    long acts() {
        return acts;
    }

    /** What the rule watches was seen once more. Returns whether it acts. */
    boolean strikes() {
        FaultTiming timing = rule.timing();
        matches++;
        if (matches < timing.nth()
                || (matches - timing.nth()) % timing.every() != 0
                || acts >= timing.count()
                || (timing.probability() < 1 && random.nextDouble() >= timing.probability())
                || (timing.afterNanos() > 0 && System.nanoTime() - startNanos < timing.afterNanos())) {
            return false;
        }
        acts++;
        return true;
    }
}
