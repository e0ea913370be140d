package dev.outboard.cli;

import picocli.CommandLine.Option;

/** The option {@code --json}. */
public final class JsonOption {
    @Option(names = "--json", description = "Print one JSON document on standard output.")
    private boolean json;

    /** For picocli. */
    public JsonOption() {}

    /**
     * Whether it was given.
     *
     * @return whether to print JSON
     */
    public boolean json() {
        return json;
    }
}
