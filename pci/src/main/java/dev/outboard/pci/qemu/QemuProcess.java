package dev.outboard.pci.qemu;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Fd;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** A running QEMU, which ends when it is closed and when this JVM ends, in whichever way. */
final class QemuProcess implements AutoCloseable {
    private static final String QEMU = "qemu-system-x86_64";
    private static final long END_TIMEOUT_SECONDS = 10;
    private static final int MOST_SAID_BYTES = 16 << 10;

    private final Process process;
    private final Fd output;

    private QemuProcess(Process process, Fd output) {
        this.process = process;
        this.output = output;
    }

    static QemuProcess start(List<String> arguments) throws IOException {
        String qemu = find(QEMU, "qemu-system-x86");
        // A JVM that is killed ends nothing on its way out.
        List<String> command = new ArrayList<>(List.of(find("setpriv", "util-linux"), "--pdeathsig", "KILL", qemu));
        command.addAll(arguments);
        Fd output = Fd.memfd("outboard-qemu-output", 0);
        CompletableFuture<Process> started = new CompletableFuture<>();
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(new File(path(output))));
        // PR_SET_PDEATHSIG follows the thread that started the process, so that thread has to live as long: prctl(2).
        Thread.ofPlatform().daemon().name("outboard-qemu").start(() -> {
            try {
                Process process = builder.start();
                started.complete(process);
                awaitEnd(process);
            } catch (IOException e) {
                started.completeExceptionally(e);
            }
        });
        try {
            return new QemuProcess(started.get(), output);
        } catch (ExecutionException e) {
            output.close();
            Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
            throw new DeviceException("QEMU does not start: " + cause.getMessage(), cause);
        } catch (InterruptedException e) {
            // If it starts nevertheless it ends with this JVM.
            Thread.currentThread().interrupt();
            throw new DeviceException("interrupted while QEMU started", e);
        }
    }

    private static void awaitEnd(Process process) {
        while (process.isAlive()) {
            try {
                process.waitFor();
            } catch (InterruptedException e) {
                // Ending here would kill QEMU; only close() may.
            }
        }
    }

    private static String find(String program, String debianPackage) throws DeviceException {
        for (String folder : System.getenv().getOrDefault("PATH", "/usr/bin").split(":", -1)) {
            Path file = Path.of(folder, program);
            if (!folder.isEmpty() && Files.isExecutable(file) && Files.isRegularFile(file)) {
                return file.toString();
            }
        }
        throw new DeviceException(
                "qemu: needs " + program + ", which is not installed; apt-get install " + debianPackage);
    }

    /** Where a process of this user's finds a file of ours that has no name. {@code proc(5)}. */
    static String path(Fd file) throws IOException {
        return "/proc/" + ProcessHandle.current().pid() + "/fd/" + file.number();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** What it said on its way out, or that it said nothing: one line, with who said it. */
    String lastWords() {
        try (Arena arena = Arena.ofConfined()) {
            process.waitFor(END_TIMEOUT_SECONDS, TimeUnit.SECONDS);
            MemorySegment buffer = arena.allocate(MOST_SAID_BYTES);
            byte[] said = buffer.asSlice(0, output.pread(buffer, 0)).toArray(ValueLayout.JAVA_BYTE);
            String error = new String(said, StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.contains("warning:"))
                    .findFirst()
                    .orElse("it said nothing");
            return "QEMU (pid " + process.pid() + ") ended: " + error.replaceFirst("^" + QEMU + ": ", "");
        } catch (IOException e) {
            return "QEMU (pid " + process.pid() + ") ended";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "QEMU (pid " + process.pid() + ") is gone";
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(END_TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        output.close();
    }
}
