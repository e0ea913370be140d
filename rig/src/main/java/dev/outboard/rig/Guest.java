package dev.outboard.rig;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A machine that runs. It takes any number of commands, one after another, and ends when it is closed, when a command
 * misses its deadline, and when this JVM ends.
 */
public final class Guest implements AutoCloseable {
    private static final int CONSOLE_LINES = 40;

    private final QemuMachine machine;
    private final int attempt;
    private final CloseOnce resources;
    private final Path directory;
    private final GuestProcess process;
    private final GuestPorts ports;
    private final Monitor monitor;
    private final GuestProtocol protocol;

    private Guest(QemuMachine machine, int attempt, CloseOnce resources, Path directory, Deadline deadline)
            throws IOException {
        this.machine = machine;
        this.attempt = attempt;
        this.resources = resources;
        this.directory = directory;
        Path control = Files.createDirectory(directory.resolve("control"));
        Files.writeString(control.resolve("boot.sh"), machine.bootScript());
        ports = resources.hold(new GuestPorts(directory));
        process = resources.hold(GuestProcess.start(
                machine.program().command(),
                machine.program().environment(),
                GuestProcess.End.KILL,
                directory,
                machine.arguments(directory),
                log()));
        if (!ports.accept(process, deadline)) {
            throw deadline.isOver() ? late("QEMU did not start") : new RigException(withLogs("QEMU ended at once"));
        }
        monitor = resources.hold(openMonitor());
        protocol = new GuestProtocol(ports, monitor);
        ports.listen(protocol);
        await(protocol.ready(), deadline, "The guest did not boot");
    }

    private Monitor openMonitor() throws IOException {
        try {
            return new Monitor(ports.monitor());
        } catch (IOException e) {
            // QEMU has connected its ports before it finds fault with a device.
            throw new RigException(withLogs("QEMU ended at once: " + e.getMessage()), e);
        }
    }

    static Guest boot(QemuMachine machine, int attempt, Deadline deadline) throws IOException {
        CloseOnce resources = new CloseOnce();
        try {
            Path temporary = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
            WorkDirectory work = resources.hold(WorkDirectory.create(temporary, "outboard-rig-"));
            return new Guest(machine, attempt, resources, work.path(), deadline);
        } catch (IOException | RuntimeException e) {
            try {
                resources.close();
            } catch (IOException suppressed) {
                e.addSuppressed(suppressed);
            }
            throw e;
        }
    }

    /**
     * Runs a command to its end. What it prints arrives while it runs, from a thread of the rig; what it leaves in shared
     * folders is there when this returns. One command at a time.
     *
     * @param command what to run
     * @param out takes its standard output
     * @param err takes its standard error
     * @param limit how long it may take; when it takes longer, the guest is closed
     * @return its exit status as a shell tells it: 127 for a program that does not exist, 128 + N for signal N
     * @throws GuestTimeoutException when it does not end in time, with the end of the console
     * @throws IOException when the guest ends before the command, or one of the streams fails
     */
    public synchronized int run(GuestCommand command, OutputStream out, OutputStream err, Duration limit)
            throws IOException {
        Deadline deadline = Deadline.after(limit);
        int number = protocol.nextNumber();
        Files.writeString(directory.resolve("control/run-" + number + ".sh"), command.toScript());
        CompletableFuture<Integer> status = protocol.run(number, out, err);
        return await(status, deadline, "In the guest, %s did not end".formatted(command.arguments()));
    }

    /**
     * Runs a command to its end and keeps what it prints.
     *
     * @param command what to run
     * @param limit how long it may take; when it takes longer, the guest is closed
     * @return its exit status and what it printed
     * @throws GuestTimeoutException when it does not end in time, with the end of the console
     * @throws IOException when the guest ends before the command
     */
    public GuestResult run(GuestCommand command, Duration limit) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = run(command, out, err, limit);
        return new GuestResult(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /**
     * Switches the trace of device accesses on or off; when this returns, it is so, and what came before is in the file.
     *
     * @param on whether to trace from now on
     * @throws IOException when QEMU is gone
     */
    public void trace(boolean on) throws IOException {
        monitor.trace(on);
    }

    /**
     * QEMU's monitor.
     *
     * @return the monitor of this guest
     */
    public Monitor monitor() {
        return monitor;
    }

    /**
     * The folder of this guest's own files: namespace images, and console and trace unless they are kept elsewhere.
     *
     * @return the folder, gone when the guest is closed
     */
    public Path directory() {
        return directory;
    }

    /**
     * The file with the kernel's messages.
     *
     * @return the file, written as the guest runs
     */
    public Path console() {
        return machine.console(directory);
    }

    /**
     * The file with the device accesses, for {@link MmioTrace}.
     *
     * @return the file, written while the trace is on
     */
    public Path traceFile() {
        return machine.trace(directory);
    }

    /**
     * How often the machine was booted until its kernel did not panic.
     *
     * @return 1 when all went well
     */
    public int bootAttempts() {
        return attempt;
    }

    /**
     * The process that is this guest.
     *
     * @return its process id on the host
     */
    public long pid() {
        return process.pid();
    }

    /** Ends the guest, whatever it is doing, and removes its files. Nothing more happens the second time. */
    @Override
    public void close() throws IOException {
        resources.close();
    }

    private <T> T await(CompletableFuture<T> future, Deadline deadline, String lateness) throws IOException {
        try {
            return future.get(Math.max(0, deadline.remainingNanos()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw closing(late(lateness));
        } catch (ExecutionException e) {
            throw closing(failure(Objects.requireNonNullElse(e.getCause(), e)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw closing(new RigException("Interrupted while the guest was at work", e));
        }
    }

    private RigException failure(Throwable cause) throws IOException {
        String message = withLogs(String.valueOf(cause.getMessage()));
        return message.contains(KernelPanicException.MARK)
                ? new KernelPanicException(message, cause)
                : new RigException(message, cause);
    }

    private RigException closing(RigException failure) {
        try {
            close();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
        return failure;
    }

    private GuestTimeoutException late(String what) throws IOException {
        return new GuestTimeoutException(
                withLogs(what + " before its deadline: give it longer, or look at the console"));
    }

    private Path log() {
        return directory.resolve("qemu.log");
    }

    private String withLogs(String message) throws IOException {
        return "%s\n--- QEMU's messages\n%s\n--- end of the console\n%s"
                .formatted(
                        message, GuestProcess.tail(log(), CONSOLE_LINES), GuestProcess.tail(console(), CONSOLE_LINES));
    }
}
