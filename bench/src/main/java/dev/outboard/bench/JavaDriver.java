package dev.outboard.bench;

import dev.outboard.nvme.Nvme;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.load.LoadGenerator;
import dev.outboard.nvme.load.LoadOptions;
import dev.outboard.nvme.load.LoadResult;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;

/**
 * Our driver, in this process: what {@code outboard nvme bench} runs. Between rounds the compiled code stays, and all else
 * is closed, as a target serves one client at a time.
 */
final class JavaDriver implements NvmeDriver {
    private static final double NANOS_A_SECOND = 1e9;

    @Override
    public double[] run(Path socket, NvmeLoad load, double seconds) throws IOException {
        LoadOptions options = new LoadOptions(
                load.operation(),
                load.blockSizeBytes(),
                0,
                load.queueDepth(),
                duration(seconds),
                duration(WARM_UP_SECONDS),
                OptionalInt.of(Settings.DRIVER_CPU));
        LoadResult result;
        try (NvmeController controller = Nvme.open("vfio-user:" + socket);
                LoadGenerator generator =
                        new LoadGenerator(controller, controller.namespaces().getFirst(), options)) {
            result = generator.run();
        }
        if (result.errors() != 0) {
            throw new IOException(result.errors() + " of our requests failed");
        }
        return new double[] {
            result.iops(), result.latency().p99(), result.latency().p9999()
        };
    }

    private static Duration duration(double seconds) {
        return Duration.ofNanos((long) (seconds * NANOS_A_SECOND));
    }
}
