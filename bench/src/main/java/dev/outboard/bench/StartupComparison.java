package dev.outboard.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code startup}: how long a command takes from its start to the first byte that it prints, which for {@code outboard nvme
 * read} is the first block that was read.
 */
final class StartupComparison implements Comparison {
    private static final int ROUNDS = 11;
    private static final double GOAL_MILLIS = 300;
    private static final double NANOS_PER_MILLI = 1e6;

    private static final String DEVICES = "devices";
    private static final String FIRST_IO = "first-io";
    private static final String FIRST_IO_MODEL = "first-io model:nvme";
    private static final String FIRST_IO_C = "first-io of a driver in C";
    private static final String UNCACHED = ", no AOT cache";

    @Override
    public String name() {
        return "startup";
    }

    @Override
    public String summary() {
        return "from the start of a command to its first line or first block read, against the goal, with and without"
                + " the AOT caches";
    }

    @Override
    public Unit unit() {
        return Unit.MILLIS;
    }

    @Override
    public String peer(Settings settings) {
        return "the goal";
    }

    @Override
    public List<String> cases() {
        return List.of(
                DEVICES,
                DEVICES + UNCACHED,
                FIRST_IO,
                FIRST_IO + UNCACHED,
                FIRST_IO_MODEL,
                FIRST_IO_MODEL + UNCACHED,
                FIRST_IO_C);
    }

    @Override
    public void run(Settings settings, Programs programs, Bench bench) throws IOException {
        String outboard = settings.root().resolve("outboard").toString();
        Path socket = NvmeTarget.start(settings.target(), settings, programs).socket();
        List<String> read = List.of(outboard, "nvme", "read", "--lba", "0", "--blocks", "1");
        List<String> readServed = new ArrayList<>(read);
        readServed.addAll(List.of("--device", "vfio-user:" + socket));

        measure(DEVICES, List.of(outboard, DEVICES), settings, bench);
        measure(FIRST_IO, readServed, settings, bench);
        measure(FIRST_IO_MODEL, read, settings, bench);
        // It prints when it is done, so it reads for no longer than it must.
        List<String> client = List.of(
                settings.program("nvme_client").toString(),
                "--socket",
                socket.toString(),
                "--op",
                "read",
                "--queue-depth",
                "1",
                "--seconds",
                "0.001",
                "--warmup",
                "0");
        measureCase(FIRST_IO_C, client, true, settings, bench);
    }

    private static void measure(String what, List<String> command, Settings settings, Bench bench) {
        measureCase(what, command, true, settings, bench);
        measureCase(what + UNCACHED, command, false, settings, bench);
    }

    private static void measureCase(String what, List<String> command, boolean cached, Settings settings, Bench bench) {
        if (settings.wants(what)) {
            bench.measure(what, settings.roundsOr(ROUNDS), () -> millisToFirstByte(command, cached), () -> GOAL_MILLIS);
        }
    }

    private static double millisToFirstByte(List<String> command, boolean cached) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        if (!cached) {
            // For the command, and for the process of its emulated device.
            builder.environment().put("JDK_JAVA_OPTIONS", "-XX:AOTMode=off");
        }
        long start = System.nanoTime();
        Process process = builder.start();
        try (InputStream output = process.getInputStream()) {
            int first = output.read();
            double millis = (System.nanoTime() - start) / NANOS_PER_MILLI;
            output.readAllBytes();
            int status = process.waitFor();
            if (first < 0 || status != 0) {
                throw new IOException(String.join(" ", command) + " ended with status " + status);
            }
            return millis;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + command.getFirst() + " ran", e);
        } finally {
            process.destroy();
        }
    }
}
