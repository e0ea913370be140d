package dev.outboard.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Any program, run to its end with no input. */
final class Program {
    private static final int LIMIT_SECONDS = 120;

    private Program() {}

    static Command.Result run(List<String> command) throws IOException, InterruptedException {
        Path out = Files.createTempFile("outboard-test", ".out");
        Path err = Files.createTempFile("outboard-test", ".err");
        Process process = new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError(
                        command + " did not end; it said " + Files.readString(out) + Files.readString(err));
            }
            return new Command.Result(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            process.destroyForcibly();
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** Runs a program that must succeed. */
    static void succeeds(String... command) throws IOException, InterruptedException {
        Command.Result result = run(List.of(command));
        if (result.status() != 0) {
            throw new AssertionError(String.join(" ", command) + ": " + result);
        }
    }
}
