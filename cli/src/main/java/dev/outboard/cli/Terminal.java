package dev.outboard.cli;

import java.util.Objects;

/** Whether a person is looking. */
public final class Terminal {
    private static final boolean INTERACTIVE =
            Objects.requireNonNull(System.console()).isTerminal();

    private Terminal() {}

    /**
     * Whether standard input and output are a terminal.
     *
     * @return false in pipes, files and CI
     */
    public static boolean isInteractive() {
        return INTERACTIVE;
    }
}
