package dev.outboard.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** {@code nvme}: our driver against a driver in C, both on one target. */
final class NvmeComparison implements Comparison {
    private static final int ROUNDS = 5;
    private static final double FIRST_SECONDS = 1;

    @Override
    public String name() {
        return "nvme";
    }

    @Override
    public String summary() {
        return "our NVMe driver against one in C, on the same vfio-user target (--target emulator, c or PATH)";
    }

    @Override
    public Unit unit() {
        return Unit.IOPS;
    }

    @Override
    public String peer(Settings settings) {
        Path peer = settings.peer();
        return (peer == null ? "C driver (bench/peers/nvme_client)" : peer) + " on target " + settings.target();
    }

    @Override
    public List<String> cases() {
        return NvmeLoad.ALL.stream().map(NvmeLoad::caseName).toList();
    }

    @Override
    public void run(Settings settings, Programs programs, Bench bench) throws IOException {
        Path socket = NvmeTarget.start(settings.target(), settings, programs).socket();
        Path peer = settings.peer();
        NvmeDriver ours = new JavaDriver();
        NvmeDriver theirs = new ProgramDriver(programs, peer == null ? settings.program("nvme_client") : peer);
        for (NvmeLoad load : NvmeLoad.ALL) {
            if (!settings.wants(load.caseName())) {
                continue;
            }
            // The first rounds compile our driver, and a target in Java, for this load; they are not counted.
            warmUp(ours, socket, load);
            bench.measure(
                    load.caseName(),
                    settings.roundsOr(ROUNDS),
                    NvmeDriver.QUANTITIES,
                    () -> ours.run(socket, load, settings.seconds()),
                    () -> theirs.run(socket, load, settings.seconds()));
        }
    }

    private static void warmUp(NvmeDriver driver, Path socket, NvmeLoad load) throws IOException {
        driver.run(socket, load, FIRST_SECONDS);
    }
}
