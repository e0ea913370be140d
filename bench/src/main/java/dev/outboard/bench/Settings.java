package dev.outboard.bench;

import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the user said.
 *
 * @param root the project's root, where {@code outboard} is
 * @param seconds how long a side of a case is measured in each round
 * @param rounds how many rounds each side has; 0 for what suits the comparison
 * @param sizeBytes the size of namespaces
 * @param peer a program to measure against instead of the comparison's own; null for that
 * @param target which program the driver drives: {@code "emulator"}, {@code "c"} or a path
 * @param only the names of the cases that are measured
 */
record Settings(
        Path root,
        double seconds,
        int rounds,
        long sizeBytes,
        @Nullable Path peer,
        String target,
        Pattern only) {
    static final int DEVICE_CPU = 0;
    static final int DRIVER_CPU = 1;
    static final String EMULATOR = "emulator";
    static final String C = "c";

    /** A program of bench/peers. */
    Path program(String name) {
        return root.resolve("bench/target/peers").resolve(name);
    }

    boolean wants(String what) {
        return only.matcher(what).find();
    }

    int roundsOr(int suitable) {
        return rounds > 0 ? rounds : suitable;
    }
}
