package dev.outboard.cli.nvme;

import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.driver.ByteSize;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.nvme.load.LoadGenerator;
import dev.outboard.nvme.load.LoadOptions;
import dev.outboard.nvme.load.LoadResult;
import dev.outboard.nvme.load.Operation;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme bench}. */
@Command(name = "bench", description = "Loads a namespace with requests, by polling, and measures each.")
final class BenchCommand implements Callable<Integer> {
    private static final double NANOS_A_SECOND = 1e9;

    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(
            names = "--op",
            paramLabel = "OP",
            defaultValue = "randread",
            description = "randread, randwrite, read, write or randrw (70 %% reads); unless told ${DEFAULT-VALUE}.")
    private Operation operation = Operation.RANDREAD;

    @Option(
            names = "--block-size",
            paramLabel = "S",
            defaultValue = "4K",
            description = "How much each request transfers; unless told ${DEFAULT-VALUE}.")
    private ByteSize blockSize = new ByteSize(4096);

    @Option(
            names = "--span",
            paramLabel = "S",
            defaultValue = "0",
            description = "How much of the namespace is used, from its start; unless told all.")
    private ByteSize span = new ByteSize(0);

    @Option(
            names = "--queue-depth",
            paramLabel = "N",
            defaultValue = "1",
            description = "How many requests are on their way at a time; unless told ${DEFAULT-VALUE}.")
    private int queueDepth = 1;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "5",
            description = "How long to measure; unless told ${DEFAULT-VALUE}.")
    private double seconds = 5;

    @Option(
            names = "--warmup",
            paramLabel = "S",
            defaultValue = "2",
            description = "How long to run before that, not counted; unless told ${DEFAULT-VALUE}.")
    private double warmUp = 2;

    @Option(names = "--cpu", paramLabel = "N", description = "The processor that the polling thread is pinned to.")
    private @Nullable Integer cpu;

    @Option(names = "--destroy", description = "Yes, overwrite what is there; needed to write to anything but a model.")
    private boolean destroy;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        LoadOptions options = options();
        if (operation.writes()) {
            device.requireDestroy(destroy);
        }
        try (NvmeController controller = device.open()) {
            NvmeNamespace namespace = device.namespace(controller);
            LoadResult result = run(controller, namespace, options);
            if (output.json()) {
                Json.print(System.out, json(controller, options, result));
            } else {
                System.out.println(BenchTable.HEADER);
                System.out.println(BenchTable.row(options, result));
            }
            return result.errors() == 0 ? 0 : 1;
        }
    }

    private LoadOptions options() {
        if (queueDepth < 1
                || seconds <= 0
                || warmUp < 0
                || blockSize.bytes() < 1
                || blockSize.bytes() > Integer.MAX_VALUE) {
            throw new CommandLine.ParameterException(
                    Objects.requireNonNull(spec).commandLine(),
                    "--queue-depth, --seconds and --block-size are more than 0, --warmup is not less; got " + queueDepth
                            + ", " + seconds + ", " + blockSize + " and " + warmUp);
        }
        return new LoadOptions(
                operation,
                (int) blockSize.bytes(),
                span.bytes(),
                queueDepth,
                Duration.ofNanos((long) (seconds * NANOS_A_SECOND)),
                Duration.ofNanos((long) (warmUp * NANOS_A_SECOND)),
                cpu == null ? OptionalInt.empty() : OptionalInt.of(cpu));
    }

    /** Runs one load, which Ctrl-C ends early. */
    static LoadResult run(NvmeController controller, NvmeNamespace namespace, LoadOptions options) throws IOException {
        try (LoadGenerator generator = new LoadGenerator(controller, namespace, options)) {
            Interruption.onRequest(generator::stop);
            return generator.run();
        } finally {
            Interruption.onRequest(null);
        }
    }

    static Map<String, Object> json(NvmeController controller, LoadOptions options, LoadResult result) {
        Map<String, Object> json = Json.object();
        json.put("device", controller.address().toString());
        json.put("op", options.operation().toString());
        json.put("blockSize", options.blockSizeBytes());
        json.put("queueDepth", options.queueDepth());
        json.put("seconds", Json.rounded(result.seconds()));
        json.put("iops", Math.round(result.iops()));
        json.put("mibPerSecond", Json.rounded(result.mibPerSecond()));
        Map<String, Object> latency = Json.object();
        latency.put("mean", Json.rounded(result.latency().mean()));
        latency.put("p50", result.latency().p50());
        latency.put("p99", result.latency().p99());
        latency.put("p999", result.latency().p999());
        latency.put("p9999", result.latency().p9999());
        latency.put("max", result.latency().max());
        json.put("latencyMicros", latency);
        json.put("errors", result.errors());
        json.put("allocatedBytesPerOp", Json.rounded(result.allocatedBytesPerOperation()));
        return json;
    }
}
