package dev.outboard.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** {@code emulation}: our emulated controller against one in C, both driven by the same driver in C. */
final class EmulationComparison implements Comparison {
    private static final int ROUNDS = 5;
    private static final double FIRST_SECONDS = 1;

    @Override
    public String name() {
        return "emulation";
    }

    @Override
    public String summary() {
        return "our emulated NVMe controller against one in C, driven by the same driver in C";
    }

    @Override
    public Unit unit() {
        return Unit.IOPS;
    }

    @Override
    public String peer(Settings settings) {
        Path peer = settings.peer();
        return peer == null ? "C target (bench/peers/nvme_target)" : peer.toString();
    }

    @Override
    public List<String> cases() {
        return NvmeLoad.ALL.stream().map(NvmeLoad::caseName).toList();
    }

    @Override
    public void run(Settings settings, Programs programs, Bench bench) throws IOException {
        Path peer = settings.peer();
        // Both sleep while they have no client.
        Path ours = NvmeTarget.start(Settings.EMULATOR, settings, programs).socket();
        Path theirs = NvmeTarget.start(peer == null ? Settings.C : peer.toString(), settings, programs)
                .socket();
        NvmeDriver driver = new ProgramDriver(programs, settings.program("nvme_client"));
        for (NvmeLoad load : NvmeLoad.ALL) {
            if (!settings.wants(load.caseName())) {
                continue;
            }
            // The first round compiles our target for this load; it is not counted.
            driver.run(ours, load, FIRST_SECONDS);
            bench.measure(
                    load.caseName(),
                    settings.roundsOr(ROUNDS),
                    NvmeDriver.QUANTITIES,
                    () -> driver.run(ours, load, settings.seconds()),
                    () -> driver.run(theirs, load, settings.seconds()));
        }
    }
}
