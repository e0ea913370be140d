package dev.outboard.bench;

import dev.outboard.emulation.EmulatorMain;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A program that serves an NVMe controller over vfio-user, on the device's processor, filled with data. */
final class NvmeTarget {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration RUN_TIMEOUT = Duration.ofMinutes(2);
    private static final long RETRY_MILLIS = 50;
    private static final int FILL_BLOCK_BYTES = 128 << 10;
    private static final int MOST_FILLS = 60;

    private final Path socket;

    private NvmeTarget(Path socket) {
        this.socket = socket;
    }

    Path socket() {
        return socket;
    }

    /**
     * Starts a target, waits until it serves, and writes its whole namespace: pages of memory that were never written read
     * as one page of zeros, which stays in the cache and makes any target look faster than it is.
     *
     * @param which {@link Settings#EMULATOR}, {@link Settings#C}, or the path of a program with the command line of
     *     bench/peers/nvme_target
     */
    static NvmeTarget start(String which, Settings settings, Programs programs) throws IOException {
        // SPDK's driver takes a directory, and finds the socket in it under this name.
        Path socket =
                programs.newDirectory("target-" + Path.of(which).getFileName()).resolve("cntrl");
        List<String> command = switch (which) {
            case Settings.EMULATOR -> emulatorCommand();
            case Settings.C -> List.of(settings.program("nvme_target").toString());
            default -> List.of(which);
        };
        List<String> all = new ArrayList<>(command);
        all.addAll(List.of(
                "--socket",
                socket.toString(),
                "--size",
                Long.toString(settings.sizeBytes()),
                "--cpu",
                Integer.toString(Settings.DEVICE_CPU)));
        Programs.Program program = programs.start(all);
        String client = settings.program("nvme_client").toString();
        awaitReady(program, client, socket, programs);
        fill(client, socket, settings.sizeBytes(), programs);
        return new NvmeTarget(socket);
    }

    /** The emulator with this process's Java and modules, and the options of the command outboard. */
    private static List<String> emulatorCommand() {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "--enable-native-access=dev.outboard.linux",
                "--illegal-native-access=deny",
                "--module-path",
                System.getProperty("jdk.module.path", ""),
                "--module",
                EmulatorMain.class.getModule().getName() + "/" + EmulatorMain.class.getName(),
                "nvme",
                "--exit-with-parent");
    }

    private static void awaitReady(Programs.Program program, String client, Path socket, Programs programs)
            throws IOException {
        long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
        while (true) {
            if (!program.process().isAlive()) {
                throw program.failure("ended with status " + program.process().exitValue());
            }
            try {
                programs.run(List.of(client, "--socket", socket.toString(), "--identify"), START_TIMEOUT);
                return;
            } catch (IOException notYet) {
                if (System.nanoTime() - deadline > 0) {
                    throw new IOException(
                            program.name() + " does not serve within " + START_TIMEOUT.toSeconds() + " s: "
                                    + notYet.getMessage(),
                            notYet);
                }
            }
            try {
                Thread.sleep(RETRY_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while " + program.name() + " started", e);
            }
        }
    }

    /** Sequential writes from the first block on, for longer until they went around at least once. */
    private static void fill(String client, Path socket, long sizeBytes, Programs programs) throws IOException {
        for (int seconds = 1; seconds <= MOST_FILLS; seconds *= 2) {
            String output = programs.run(
                    List.of(
                            client,
                            "--socket",
                            socket.toString(),
                            "--op",
                            "write",
                            "--block-size",
                            Integer.toString(FILL_BLOCK_BYTES),
                            "--queue-depth",
                            "8",
                            "--seconds",
                            Integer.toString(seconds),
                            "--warmup",
                            "0",
                            "--cpu",
                            Integer.toString(Settings.DRIVER_CPU)),
                    RUN_TIMEOUT);
            double written = PeerOutput.ofClient(output)[0] * PeerOutput.number(output, "seconds") * FILL_BLOCK_BYTES;
            if (written >= sizeBytes) {
                return;
            }
        }
        throw new IOException("the namespace could not be written as a whole within " + MOST_FILLS + " s");
    }
}
