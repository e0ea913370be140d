package dev.outboard.emulation.fault;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * What is delayed: each thing is there from its own time on.
 *
 * @param <T> the things
 */
final class Later<T> {
    private record Held<T>(long dueNanos, T thing) {}

    private final List<Held<T>> held = new ArrayList<>();

    void add(long nanos, T thing) {
        held.add(new Held<>(System.nanoTime() + nanos, thing));
    }

    /** Takes what is due. */
    List<T> due() {
        if (held.isEmpty()) {
            return List.of();
        }
        List<T> due = new ArrayList<>();
        long now = System.nanoTime();
        for (Iterator<Held<T>> all = held.iterator(); all.hasNext(); ) {
            Held<T> one = all.next();
            if (now - one.dueNanos >= 0) {
                due.add(one.thing);
                all.remove();
            }
        }
        return due;
    }

    void clear() {
        held.clear();
    }
}
