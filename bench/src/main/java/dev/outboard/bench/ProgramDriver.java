package dev.outboard.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** A peer's driver, in a process a round: nvme_client of bench/peers, or SPDK's spdk_nvme_perf. */
final class ProgramDriver implements NvmeDriver {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final String SPDK = "spdk_nvme_perf";

    private final Programs programs;
    private final Path program;

    ProgramDriver(Programs programs, Path program) {
        this.programs = programs;
        this.program = program;
    }

    @Override
    public double[] run(Path socket, NvmeLoad load, double seconds) throws IOException {
        Duration timeout = TIMEOUT.plusMillis((long) (seconds * 1000));
        return isSpdk()
                ? PeerOutput.ofSpdk(programs.run(spdkCommand(program, socket, load, seconds), timeout))
                : PeerOutput.ofClient(programs.run(clientCommand(program, socket, load, seconds), timeout));
    }

    private boolean isSpdk() {
        return program.getFileName().toString().startsWith(SPDK);
    }

    static List<String> clientCommand(Path program, Path socket, NvmeLoad load, double seconds) {
        return List.of(
                program.toString(),
                "--socket",
                socket.toString(),
                "--op",
                load.operation().toString(),
                "--block-size",
                Integer.toString(load.blockSizeBytes()),
                "--queue-depth",
                Integer.toString(load.queueDepth()),
                "--seconds",
                String.format(Locale.ROOT, "%.3f", seconds),
                "--warmup",
                Double.toString(WARM_UP_SECONDS),
                "--cpu",
                Integer.toString(Settings.DRIVER_CPU));
    }

    /** SPDK takes whole seconds, a mask of processors, and the directory of a socket that must be called cntrl. */
    static List<String> spdkCommand(Path program, Path socket, NvmeLoad load, double seconds) {
        return List.of(
                program.toString(),
                "-r",
                "trtype:VFIOUSER traddr:" + socket.getParent(),
                "-q",
                Integer.toString(load.queueDepth()),
                "-o",
                Integer.toString(load.blockSizeBytes()),
                "-w",
                load.operation().toString(),
                "-t",
                Long.toString(Math.max(1, Math.round(seconds))),
                "-c",
                "0x" + Integer.toHexString(1 << Settings.DRIVER_CPU));
    }
}
