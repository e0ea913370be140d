package dev.outboard.emulation.fault;

/**
 * At which of the times that it matches a rule acts.
 *
 * @param nth at the nth first, from 1
 * @param every then at every so many
 * @param count so often at most
 * @param probability with this probability, 0 to 1
 * @param afterNanos not before so long after the device was opened
 */
public record FaultTiming(long nth, long every, long count, double probability, long afterNanos) {
    private static final long MICRO = 1_000;
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000_000_000;

    /** Each time. */
    public static final FaultTiming ALWAYS = new FaultTiming(1, 1, Long.MAX_VALUE, 1, 0);

    /**
     * Once.
     *
     * @param nth when, from 1
     * @return the timing
     */
    public static FaultTiming once(long nth) {
        return new FaultTiming(nth, 1, 1, 1, 0);
    }

    static String text(long nanos) {
        if (nanos % SECOND == 0) {
            return nanos / SECOND + "s";
        }
        return nanos % MILLI == 0 ? nanos / MILLI + "ms" : nanos / MICRO + "us";
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        boolean once = count == 1 && every == 1;
        if (once || (nth != 1 && nth != every) || (nth == 1 && every != 1)) {
            text.append(" nth ").append(nth);
        }
        if (!once && (every != 1 || nth != 1)) {
            text.append(" every ").append(every);
        }
        if (count != Long.MAX_VALUE && !once) {
            text.append(" count ").append(count);
        }
        if (probability < 1) {
            text.append(" probability ").append(probability);
        }
        if (afterNanos > 0) {
            text.append(" after ").append(text(afterNanos));
        }
        return text.toString();
    }
}
