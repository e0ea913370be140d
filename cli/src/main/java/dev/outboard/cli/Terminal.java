package dev.outboard.cli;

import java.io.Console;

/** Whether a person is looking. */
public final class Terminal {
    private static final boolean INTERACTIVE = look();

    private Terminal() {}

    // Java 25 returns null again where there is no terminal.
    @SuppressWarnings("SystemConsoleNull")
    private static boolean look() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    /**
     * Whether standard input and output are a terminal.
     *
     * @return false in pipes, files and CI
     */
    public static boolean isInteractive() {
        return INTERACTIVE;
    }
}
