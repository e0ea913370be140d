package dev.outboard.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The programs that this process has started, and a directory for their sockets. However this process ends, they do: when
 * it is interrupted they are closed, and when it is killed the kernel tells them.
 */
final class Programs implements AutoCloseable {
    private static final Duration END_TIMEOUT = Duration.ofSeconds(5);
    private static final Path SETPRIV = Path.of("/usr/bin/setpriv");

    private final Path directory;
    private final List<Process> processes = new ArrayList<>();
    private final Thread hook = new Thread(this::end, "end-programs");
    private int outputs;
    private boolean closed;

    Programs() throws IOException {
        directory = Files.createTempDirectory("outboard-bench");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** A directory that only this user can enter, and that goes with the programs. */
    Path newDirectory(String name) throws IOException {
        return Files.createDirectory(directory.resolve(name));
    }

    /** Runs a program to its end, and returns what it printed. */
    String run(List<String> command, Duration timeout) throws IOException {
        Program program = start(command);
        Process process = program.process();
        try {
            if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException(program.name() + " did not end within " + timeout.toSeconds() + " s");
            }
            if (process.exitValue() != 0) {
                throw program.failure("ended with status " + process.exitValue());
            }
            return Files.readString(program.output());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + program.name() + " ran", e);
        } finally {
            forget(process);
            Files.deleteIfExists(program.output());
            Files.deleteIfExists(program.errors());
        }
    }

    /** Starts a program that runs until all are closed; its standard input is a pipe. */
    Program start(List<String> command) throws IOException {
        synchronized (this) {
            if (closed) {
                throw new IOException("interrupted");
            }
            int number = outputs++;
            Path output = directory.resolve("output" + number);
            Path errors = directory.resolve("errors" + number);
            Process process = new ProcessBuilder(endingWithParent(command))
                    .redirectOutput(output.toFile())
                    .redirectError(errors.toFile())
                    .start();
            processes.add(process);
            return new Program(Path.of(command.getFirst()).getFileName().toString(), process, output, errors);
        }
    }

    /** Starts a program that answers lines with lines. */
    LineConversation converse(List<String> command) throws IOException {
        synchronized (this) {
            if (closed) {
                throw new IOException("interrupted");
            }
            Path errors = directory.resolve("errors" + outputs++);
            Process process = new ProcessBuilder(endingWithParent(command))
                    .redirectError(errors.toFile())
                    .start();
            processes.add(process);
            String name = Path.of(command.getFirst()).getFileName().toString();
            return new LineConversation(new Program(name, process, errors, errors));
        }
    }

    private static List<String> endingWithParent(List<String> command) {
        if (!Files.isExecutable(SETPRIV)) {
            return command;
        }
        List<String> all = new ArrayList<>(List.of(SETPRIV.toString(), "--pdeathsig", "TERM"));
        all.addAll(command);
        return all;
    }

    /** Ends one program that was started, now. */
    void end(Program program) {
        forget(program.process());
    }

    private synchronized void forget(Process process) {
        if (process.isAlive()) {
            process.destroyForcibly();
        }
        processes.remove(process);
    }

    /** A program that was started. */
    record Program(String name, Process process, Path output, Path errors) {
        /** Why it failed, in its own last words. */
        IOException failure(String otherwise) throws IOException {
            List<String> said = Files.readAllLines(errors, StandardCharsets.UTF_8);
            return new IOException(said.isEmpty() ? name + " " + otherwise : said.getLast());
        }
    }

    private synchronized void end() {
        if (closed) {
            return;
        }
        closed = true;
        for (Process process : processes.reversed()) {
            process.destroy();
        }
        long deadline = System.nanoTime() + END_TIMEOUT.toNanos();
        for (Process process : processes.reversed()) {
            try {
                if (!process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
        try (Stream<Path> left = Files.walk(directory)) {
            for (Path path : left.toList().reversed()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException | UncheckedIOException e) {
            System.err.println("bench: " + directory + " could not be removed: " + e.getMessage());
        }
    }

    @Override
    public void close() {
        end();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shuttingDown) {
            // Then the hook runs, and finds nothing left to do.
        }
    }
}
