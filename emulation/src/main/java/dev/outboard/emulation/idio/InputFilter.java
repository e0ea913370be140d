package dev.outboard.emulation.idio;

import dev.outboard.specs.idio.Idio16Registers;

/** What the inputs look like behind their filters: one that is on lets a level pass that has lasted long enough. */
final class InputFilter {
    private final long[] sinceNanos = new long[Idio16Registers.LINES];
    private int on;
    private int sensed;
    private int passed;

    /** Filters from now on; what an input that loses its filter senses passes at once. */
    void turnOn(int lines) {
        on = lines;
    }

    int on() {
        return on;
    }

    /** Whether time alone may change what passed. */
    boolean isSettling() {
        return sensed != passed;
    }

    int passed() {
        return passed;
    }

    /** Takes the levels of this moment, and returns which ones changed behind the filters. */
    int sense(int levels, long nowNanos) {
        int before = passed;
        for (int changed = levels ^ sensed; changed != 0; changed &= changed - 1) {
            sinceNanos[Integer.numberOfTrailingZeros(changed)] = nowNanos;
        }
        sensed = levels;
        for (int open = sensed ^ passed; open != 0; open &= open - 1) {
            int line = Integer.numberOfTrailingZeros(open);
            boolean filtered = ((on >> line) & 1) != 0;
            if (!filtered || nowNanos - sinceNanos[line] >= Idio16Registers.FILTER_NANOS) {
                passed ^= 1 << line;
            }
        }
        return before ^ passed;
    }
}
