package dev.outboard.nvme;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Any program of the machine, run to its end with no input. */
final class Program {
    private static final int LIMIT_SECONDS = 120;

    private Program() {}

    /** Runs a program that must succeed; returns what it printed. */
    static String run(String... command) throws IOException, InterruptedException {
        Path said = Files.createTempFile("outboard-test", ".out");
        Process process = new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(said.toFile())
                .redirectErrorStream(true)
                .start();
        try {
            boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
            String text = Files.readString(said);
            if (!ended || process.exitValue() != 0) {
                throw new AssertionError(
                        String.join(" ", command) + (ended ? " failed: " : " did not end; it said ") + text);
            }
            return text;
        } finally {
            process.destroyForcibly();
            Files.delete(said);
        }
    }
}
