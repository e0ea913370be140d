package dev.outboard.nvme;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** A target in C, which shares no code with the model: {@code bench/peers/nvme_target}. */
@Tag("emulated")
class NvmeOverCTargetTest extends NvmeContract {
    private static final Path PEERS =
            Path.of("..", "bench", "peers").toAbsolutePath().normalize();

    @TempDir
    static Path directory;

    private static Process target;

    @BeforeAll
    static void start() throws Exception {
        assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/gcc")) && Files.isExecutable(Path.of("/usr/bin/make")),
                "no compiler here: apt-get install gcc make libc6-dev linux-libc-dev");
        Process make = new ProcessBuilder("make", "-C", PEERS.toString(), "OUT=" + directory)
                .redirectErrorStream(true)
                .start();
        String output = new String(make.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (make.waitFor() != 0) {
            throw new AssertionError(output);
        }
        Path socket = directory.resolve("target.sock");
        target = new ProcessBuilder(
                        directory.resolve("nvme_target").toString(), "--socket", socket.toString(), "--size", "64M")
                .redirectErrorStream(true)
                .start();
        BufferedReader lines = target.inputReader();
        String ready = lines.readLine();
        if (ready == null || !ready.contains("serving")) {
            throw new AssertionError("nvme_target said: " + ready);
        }
    }

    @AfterAll
    static void stop() throws InterruptedException {
        if (target != null) {
            target.destroy();
            target.waitFor(10, TimeUnit.SECONDS);
        }
    }

    @Override
    NvmeController open() throws IOException {
        return Nvme.open("vfio-user:" + directory.resolve("target.sock"));
    }
}
