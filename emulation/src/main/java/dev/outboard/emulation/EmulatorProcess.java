package dev.outboard.emulation;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A model in a process of its own, a child of this one: the same Java, the same modules, its socket in a directory that
 * only this user can enter. It ends with {@link #close}, and also when this process dies in whatever way: it reads its
 * standard input, and ends where that ends.
 */
public final class EmulatorProcess implements AutoCloseable {
    /**
     * The system property that names an AOT cache for the JVMs of these processes, JEP 483. One that is not there, is broken
     * or does not fit is not used.
     */
    public static final String AOT_CACHE_PROPERTY = "dev.outboard.emulation.aotCache";

    /** The system property that names the AOT cache to be made of what the next of these processes does, JEP 514. */
    public static final String AOT_CACHE_OUTPUT_PROPERTY = "dev.outboard.emulation.aotCacheOutput";

    private static final Duration START_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration END_TIMEOUT = Duration.ofSeconds(5);
    // The process has its cache made before it ends.
    private static final Duration RECORDING_TIMEOUT = Duration.ofMinutes(2);

    private final Process process;
    private final Path directory;

    private EmulatorProcess(Process process, Path directory) {
        this.process = process;
        this.directory = directory;
    }

    /**
     * Starts a process, and waits until clients can connect.
     *
     * @param model the model's name
     * @param options what it shall be; {@code cpu} names the processor that its polling thread is pinned to
     * @return the process
     * @throws IOException if it cannot be started, or ends at once, or takes too long
     * @throws IllegalArgumentException if there is no such model or option, or a value is wrong; the message says what there
     *     is
     */
    public static EmulatorProcess start(String model, ModelOptions options) throws IOException {
        options.without("cpu")
                .check("model " + model, Models.kind(model).options().sequencedKeySet());
        Path directory = PrivateDirectory.create();
        try {
            Process process = new ProcessBuilder(command(model, options, PrivateDirectory.socket(directory)))
                    .redirectError(PrivateDirectory.errors(directory).toFile())
                    .start();
            try {
                awaitReady(process, model, directory);
                return new EmulatorProcess(process, directory);
            } catch (IOException | IllegalArgumentException e) {
                process.destroyForcibly();
                throw e;
            }
        } catch (IOException | IllegalArgumentException e) {
            PrivateDirectory.delete(directory);
            throw e;
        }
    }

    private static List<String> command(String model, ModelOptions options, Path socket) {
        List<String> command = new ArrayList<>(java());
        command.addAll(List.of(model, "--socket", socket.toString(), "--exit-with-parent", "--private-directory"));
        options.values().forEach((name, value) -> command.addAll(List.of("--" + name, value)));
        return command;
    }

    /** The command that runs {@link EmulatorMain} in the Java and with the modules of this process. */
    static List<String> java() {
        Module module = EmulatorMain.class.getModule();
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // The heap holds next to nothing: what namespaces hold lies outside of it. C2 stays on, for the polling loop.
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xms16m", "-Xmx64m"));
        command.add("--enable-native-access=" + (module.isNamed() ? "dev.outboard.linux" : "ALL-UNNAMED"));
        String cache = System.getProperty(AOT_CACHE_PROPERTY);
        String output = System.getProperty(AOT_CACHE_OUTPUT_PROPERTY);
        if (output != null) {
            command.add("-XX:AOTCacheOutput=" + output);
        } else if (cache != null) {
            // Verified, because the JVM trusts what it maps; its complaints are nobody's business.
            command.addAll(List.of("-XX:AOTCache=" + cache, "-XX:+VerifySharedSpaces", "-Xlog:aot*=off,cds*=off"));
        } else {
            // JDK 25 takes no modules from a cache with this.
            command.add("--illegal-native-access=deny");
        }
        if (module.isNamed()) {
            // An image of jlink has no module path: the modules are in the image.
            String path = System.getProperty("jdk.module.path");
            if (path != null) {
                command.addAll(List.of("--module-path", path));
            }
            command.addAll(List.of("--module", module.getName() + "/" + EmulatorMain.class.getName()));
        } else {
            command.addAll(List.of("--class-path", System.getProperty("java.class.path")));
            command.add(EmulatorMain.class.getName());
        }
        return command;
    }

    private static void awaitReady(Process process, String model, Path directory) throws IOException {
        CompletableFuture<@Nullable String> firstLine = new CompletableFuture<>();
        var output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        Thread.ofPlatform().daemon().name("outboard-model-output").start(() -> {
            try {
                firstLine.complete(output.readLine());
            } catch (IOException e) {
                firstLine.completeExceptionally(e);
            }
        });
        String line;
        try {
            line = firstLine.get(START_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new DeviceTimeoutException(
                    "the process of model:" + model + " was not ready within " + START_TIMEOUT.toSeconds() + " s");
        } catch (ExecutionException e) {
            throw new DeviceException("the process of model:" + model + " could not be heard", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DeviceException("interrupted while model:" + model + " started", e);
        }
        if (line == null || !line.startsWith(EmulatorMain.READY)) {
            throw failure(process, model, directory);
        }
    }

    private static IOException failure(Process process, String model, Path directory) throws IOException {
        // Its output ended, so it is about to end; then everything it had to say is said.
        process.onExit()
                .orTimeout(END_TIMEOUT.toSeconds(), TimeUnit.SECONDS)
                .exceptionally(late -> process)
                .join();
        String said = Files.readString(PrivateDirectory.errors(directory)).strip();
        String reason = said.startsWith(EmulatorMain.PREFIX) ? said.substring(EmulatorMain.PREFIX.length()) : said;
        if (!process.isAlive() && process.exitValue() == EmulatorMain.WRONG_USAGE) {
            throw new IllegalArgumentException("model:" + model + ": " + reason);
        }
        return new DeviceException("the process of model:" + model + " (pid " + process.pid() + ") ended: "
                + (reason.isEmpty() ? "it said nothing" : reason));
    }

    /**
     * Where clients connect.
     *
     * @return the socket's path
     */
    public Path socket() {
        return PrivateDirectory.socket(directory);
    }

    /**
     * The process.
     *
     * @return a handle of it
     */
    public ProcessHandle handle() {
        return process.toHandle();
    }

    /** Ends the process, and waits until it has. */
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            process.destroy();
            Duration timeout = System.getProperty(AOT_CACHE_OUTPUT_PROPERTY) == null ? END_TIMEOUT : RECORDING_TIMEOUT;
            if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        PrivateDirectory.delete(directory);
    }
}
