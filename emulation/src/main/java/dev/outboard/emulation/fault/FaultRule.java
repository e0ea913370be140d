package dev.outboard.emulation.fault;

/**
 * A rule: what it watches, when it acts, and what it does.
 *
 * @param target what it watches
 * @param timing when it acts
 * @param action what it does
 */
public record FaultRule(FaultTarget target, FaultTiming timing, FaultAction action) {
    /** Checks that the action can be done to the target. */
    public FaultRule {
        if (!action.kind().fits(target.kind())) {
            throw new IllegalArgumentException("\"" + action.kind() + "\" cannot be done to \"" + target.kind() + "\"");
        }
    }

    /** The rule as in a file. */
    @Override
    public String toString() {
        return "on " + target + timing + " do " + action;
    }
}
