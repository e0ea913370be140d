package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The command in a process of its own, as a user has it. */
final class Command implements AutoCloseable {
    private static final long DEADLINE_SECONDS = 120;

    private final Process process;
    private final BufferedReader lines;
    private final Path errors;

    /** What a command left. */
    record Result(int status, String out, String err) {
        Map<String, Object> json() throws IOException {
            return JSON.std.mapFrom(out);
        }

        List<String> errorLines() {
            return err.lines().filter(line -> !line.isBlank()).toList();
        }
    }

    private Command(Process process, Path errors) {
        this.process = process;
        this.errors = errors;
        this.lines = process.inputReader();
    }

    static Command start(String... arguments) throws IOException {
        Path errors = Files.createTempFile("outboard-test", ".err");
        return new Command(
                new ProcessBuilder(line(arguments))
                        .redirectError(errors.toFile())
                        .start(),
                errors);
    }

    /** Where commands of this test run make their folders: those of others, in /tmp, are none of its business. */
    static final Path TEMPORARY = temporary();

    private static Path temporary() {
        try {
            Path made = Files.createTempDirectory("outboard-commands");
            made.toFile().deleteOnExit();
            return made;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The program and its arguments. */
    static List<String> line(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                // Under QEMU's translator C2 costs more time than it brings.
                System.getenv("OUTBOARD_RIG") == null ? "-XX:+TieredCompilation" : "-XX:TieredStopAtLevel=1",
                "--enable-native-access=dev.outboard.linux",
                "--illegal-native-access=deny",
                "-Djava.io.tmpdir=" + TEMPORARY,
                "--module-path",
                System.getProperty("jdk.module.path"),
                "--module",
                "dev.outboard.cli/dev.outboard.cli.Main"));
        command.addAll(List.of(arguments));
        return command;
    }

    /** Runs a command to its end. */
    static Result run(String... arguments) throws IOException, InterruptedException {
        return runWithInput(new byte[0], arguments);
    }

    /** Runs a command in this process, where the start of another takes many seconds. */
    static Result runHere(String... arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        ByteArrayOutputStream complained = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
            int status = Main.execute(arguments);
            return new Result(
                    status, said.toString(StandardCharsets.UTF_8), complained.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    /** The command explained a failure in one line. */
    static void assertFails(Result result, String... says) {
        assertOneLine(result, "outboard: ", says);
        assertThat(result.status).isEqualTo(1);
    }

    /** The command said what is right instead of what it was told. */
    static void assertWrongUsage(Result result, String... says) {
        assertOneLine(result, "outboard", says);
        assertThat(result.status).as(result.err).isEqualTo(2);
    }

    private static void assertOneLine(Result result, String start, String... says) {
        assertThat(result.errorLines())
                .as(result.err())
                .singleElement()
                .asString()
                .startsWith(start)
                .contains(says);
        assertThat(result.out()).isEmpty();
    }

    static Result runWithInput(byte[] input, String... arguments) throws IOException, InterruptedException {
        try (Command command = start(arguments)) {
            try (var in = command.process.getOutputStream()) {
                in.write(input);
            } catch (IOException unread) {
                // A command that fails early does not read its input.
            }
            return command.end();
        }
    }

    /** Waits for a line that contains a text. */
    String await(String text) throws IOException {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.contains(text)) {
                return line;
            }
        }
        throw new AssertionError("the command ended without a line with \"" + text + "\"; it said: " + err());
    }

    /** What Ctrl-C does. */
    void interrupt() throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    }

    Process process() {
        return process;
    }

    long cpuMillis() {
        return process.info().totalCpuDuration().orElseThrow().toMillis();
    }

    /** Waits for the end. */
    Result end() throws IOException, InterruptedException {
        StringBuilder out = new StringBuilder();
        for (int c = lines.read(); c >= 0; c = lines.read()) {
            out.append((char) c);
        }
        if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("the command does not end");
        }
        return new Result(process.exitValue(), out.toString(), err());
    }

    private String err() throws IOException {
        return Files.readString(errors, StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        Files.deleteIfExists(errors);
    }
}
