package dev.outboard.rig;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The running program that a guest is in, which ends when it is closed and when this JVM ends, in whichever way. */
final class GuestProcess implements AutoCloseable {
    /** How a guest is told to end when its owner is gone. */
    enum End {
        /** It ends at once, and has no processes of its own. */
        KILL,
        /** It ends its own processes first, which would outlive it. */
        TERM
    }

    private static final long KILL_LIMIT_SECONDS = 10;

    private final Process process;
    private final End end;

    private GuestProcess(Process process, End end) {
        this.process = process;
        this.end = end;
    }

    static GuestProcess start(
            List<String> program,
            Map<String, String> environment,
            End end,
            Path directory,
            List<String> arguments,
            Path log)
            throws IOException {
        List<String> command = new ArrayList<>();
        // A JVM that is killed runs no shutdown hook.
        command.addAll(List.of(HostProgram.SETPRIV.find().toString(), "--pdeathsig", end.name()));
        command.addAll(program);
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(environment);
        CompletableFuture<Process> started = new CompletableFuture<>();
        // PR_SET_PDEATHSIG follows the thread that started the process, so that thread has to live as long: prctl(2).
        Thread.ofPlatform().daemon().name("rig-guest").start(() -> {
            try {
                Process process = builder.start();
                started.complete(process);
                awaitEnd(process);
            } catch (IOException e) {
                started.completeExceptionally(e);
            }
        });
        try {
            return new GuestProcess(started.get(KILL_LIMIT_SECONDS, TimeUnit.SECONDS), end);
        } catch (ExecutionException e) {
            Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
            throw new RigException(program.getFirst() + " does not start: " + cause.getMessage(), cause);
        } catch (TimeoutException e) {
            throw new RigException(
                    "%s does not start within %d s".formatted(program.getFirst(), KILL_LIMIT_SECONDS), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RigException("Interrupted while %s started".formatted(program.getFirst()), e);
        }
    }

    private static void awaitEnd(Process process) {
        while (process.isAlive()) {
            try {
                process.waitFor();
            } catch (InterruptedException e) {
                // Ending here would kill the guest; only close() may.
            }
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    void onExit(Runnable action) {
        var _ = process.onExit().thenRun(action);
    }

    boolean awaitExit(Deadline deadline) {
        try {
            return process.waitFor(deadline.remainingMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        Duration limit = Duration.ofSeconds(KILL_LIMIT_SECONDS);
        if (end == End.TERM) {
            process.destroy();
            awaitExit(Deadline.after(limit));
        }
        process.destroyForcibly();
        awaitExit(Deadline.after(limit));
    }

    static String tail(Path log, int lines) throws IOException {
        if (!Files.exists(log)) {
            return "";
        }
        // A console holds what the guest pleases, so every byte has to be readable.
        List<String> all =
                Files.readString(log, StandardCharsets.ISO_8859_1).lines().toList();
        return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
    }
}
