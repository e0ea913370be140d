package dev.outboard.bench;

import dev.outboard.memory.FileCopy;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;

/** {@code copy}: a file copied by {@code FileCopy} against {@code cp}, on the build's file system, warm. */
final class CopyComparison implements Comparison {
    private static final int ROUNDS = 7;
    private static final int MIB = 1 << 20;
    private static final int SIZE_MIB = 512;
    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    @Override
    public String name() {
        return "copy";
    }

    @Override
    public String summary() {
        return "512 MiB copied by FileCopy, against cp, on the file system of the build, the source in memory";
    }

    @Override
    public Unit unit() {
        return Unit.MIB_PER_SECOND;
    }

    @Override
    public String peer(Settings settings) {
        Path peer = settings.peer();
        return peer == null ? "cp" : peer.toString();
    }

    @Override
    public List<String> cases() {
        return List.of("512M");
    }

    @Override
    public void run(Settings settings, Programs programs, Bench bench) throws IOException {
        Path directory = Files.createTempDirectory(settings.root().resolve("bench/target"), "copy");
        Path from = directory.resolve("from");
        Path to = directory.resolve("to");
        try {
            fill(from);
            double ignored = ours(from, to) + theirs(settings, programs, from, to);
            if (ignored <= 0) {
                throw new IOException("no time passed");
            }
            bench.measure(
                    "512M",
                    settings.roundsOr(ROUNDS),
                    () -> ours(from, to),
                    () -> theirs(settings, programs, from, to));
        } finally {
            Files.deleteIfExists(to);
            Files.deleteIfExists(from);
            Files.delete(directory);
        }
    }

    private static void fill(Path file) throws IOException {
        Random random = new Random(1);
        byte[] block = new byte[MIB];
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int i = 0; i < SIZE_MIB; i++) {
                random.nextBytes(block);
                out.write(block);
            }
        }
    }

    private static double ours(Path from, Path to) throws IOException {
        Files.deleteIfExists(to);
        long start = System.nanoTime();
        FileCopy.copy(from, to, (copied, total) -> {});
        return rate(System.nanoTime() - start);
    }

    /** The start of the process, about a millisecond, counts. */
    private double theirs(Settings settings, Programs programs, Path from, Path to) throws IOException {
        Files.deleteIfExists(to);
        List<String> command = List.of(peer(settings), from.toString(), to.toString());
        long start = System.nanoTime();
        programs.run(command, TIMEOUT);
        return rate(System.nanoTime() - start);
    }

    private static double rate(long nanos) {
        return SIZE_MIB * 1e9 / nanos;
    }
}
