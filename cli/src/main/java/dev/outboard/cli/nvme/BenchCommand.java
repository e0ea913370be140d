package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.cli.NamedFile;
import dev.outboard.driver.ByteSize;
import dev.outboard.driver.DeviceException;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.nvme.NvmeSettings;
import dev.outboard.nvme.NvmeSettings.ControllerMemoryUse;
import dev.outboard.nvme.NvmeSettings.HostMemoryUse;
import dev.outboard.nvme.NvmeSettings.ShadowDoorbellUse;
import dev.outboard.nvme.load.LoadJobs;
import dev.outboard.nvme.load.LoadOptions;
import dev.outboard.nvme.load.LoadResult;
import dev.outboard.nvme.load.Operation;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme bench}. */
@Command(name = "bench", description = "Loads a namespace with requests, by polling, and measures each.")
final class BenchCommand implements Callable<Integer> {
    private static final double NANOS_A_SECOND = 1e9;
    private static final double UNLIMITED_SECONDS = 1e9;

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(
            names = "--op",
            paramLabel = "OP",
            defaultValue = "randread",
            description = "randread, randwrite, read, write, or a mix, randrw or rw; unless told ${DEFAULT-VALUE}.")
    private Operation operation = Operation.RANDREAD;

    @Option(names = "--read-percent", paramLabel = "N", description = "How much of a mix reads; unless told 70.")
    private @Nullable Integer readPercent;

    @Option(
            names = "--jobs",
            paramLabel = "N",
            defaultValue = "1",
            description = "How many do this at once, each on a thread, a queue pair and a part of the namespace of its"
                    + " own; unless told ${DEFAULT-VALUE}.")
    private int jobs = 1;

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
            description = "How many requests of each job are on their way at a time; unless told ${DEFAULT-VALUE}.")
    private int queueDepth = 1;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "How long to measure; unless told 5, or until --requests or --size are done.")
    private @Nullable Double seconds;

    @Option(names = "--requests", paramLabel = "N", description = "How many requests to measure.")
    private @Nullable Long requests;

    @Option(names = "--size", paramLabel = "S", description = "How much to transfer: as many requests as that takes.")
    private @Nullable ByteSize size;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "0",
            description = "How many requests to submit a second; unless told as many as the device takes.")
    private long rate;

    @Option(
            names = "--verify",
            description = "Write what differs from place to place, and compare it when it is read, and at the end.")
    private boolean verify;

    @Option(
            names = "--warmup",
            paramLabel = "S",
            defaultValue = "2",
            description = "How long to run before that, not counted; unless told ${DEFAULT-VALUE}.")
    private double warmUp = 2;

    @Option(
            names = "--cpu",
            paramLabel = "N",
            description = "The processor that the polling thread is pinned to; that of further jobs to the next ones.")
    private @Nullable Integer cpu;

    @Option(
            names = "--shadow-doorbells",
            paramLabel = "WHEN",
            defaultValue = "AUTO",
            description = "on or off: whether an emulated controller finds doorbells in memory; unless told where that"
                    + " saves something.")
    private ShadowDoorbellUse shadowDoorbells = ShadowDoorbellUse.AUTO;

    @Option(
            names = "--controller-memory",
            description = "Put submission queues into the controller's memory, if it has some for them.")
    private boolean controllerMemory;

    @Option(
            names = "--host-memory",
            paramLabel = "SIZE",
            description =
                    "How much of the host's memory the controller may have for itself, if it wants some; 0 is none;"
                            + " unless told 128M.")
    private @Nullable ByteSize hostMemory;

    @Option(names = "--plot", paramLabel = "FILE", description = "Draw how long requests took, as SVG.")
    private @Nullable Path plot;

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        LoadOptions options = options();
        if (plot != null) {
            new NamedFile(plot).checkWritable();
        }
        if (options.readPercent() < 100) {
            device.requireDestroy(destroy, "data anywhere");
        }
        try (NvmeController controller = device.open(settings())) {
            NvmeNamespace namespace = device.namespace(controller);
            if (namespace.metadataBytes() != 0) {
                throw new DeviceException("bench wants a namespace without metadata, and the blocks of namespace "
                        + namespace.id() + " have " + namespace.metadataBytes()
                        + " bytes; outboard nvme format --lba-format N makes one");
            }
            LoadResult result = run(controller, namespace, options, jobs);
            if (output.json()) {
                Json.print(System.out, json(controller, namespace, options, jobs, result));
            } else {
                System.out.println(BenchTable.HEADER);
                System.out.println(BenchTable.row(options, result));
                System.out.print(BenchTable.histogram(result));
            }
            // Last: what was measured is not lost with the drawing.
            if (plot != null) {
                new NamedFile(plot).write(BenchPlot.svg(BenchTable.title(options), result));
            }
            return end(controller, result);
        }
    }

    private NvmeSettings settings() {
        NvmeSettings settings = NvmeSettings.DEFAULT
                .withShadowDoorbells(shadowDoorbells)
                .withControllerMemory(
                        controllerMemory ? ControllerMemoryUse.SUBMISSION_QUEUES : ControllerMemoryUse.NONE);
        if (hostMemory == null) {
            return settings;
        }
        return hostMemory.bytes() == 0
                ? settings.withHostMemory(HostMemoryUse.OFF)
                : settings.withHostMemoryLimit(hostMemory.bytes());
    }

    private int end(NvmeController controller, LoadResult result) throws DeviceException {
        if (result.mismatches() != 0) {
            throw new DeviceException(controller.address() + " returned wrong data: " + result.mismatches() + " of "
                    + result.verified() + " places that were compared have not what was written");
        }
        if (verify && !output.json() && result.errors() == 0) {
            System.out.println(result.verified() + " places compared, all as they were written");
        }
        if (result.errors() != 0) {
            // Those of the warm-up are among them, so they are no share of what was measured.
            throw new DeviceException(result.errors() + " requests failed; outboard nvme error-log shows what "
                    + controller.address() + " has kept of them");
        }
        return 0;
    }

    private LoadOptions options() {
        double measured = seconds != null ? seconds : requests != null || size != null ? UNLIMITED_SECONDS : 5;
        atLeastOne("--queue-depth", queueDepth);
        atLeastOne("--jobs", jobs);
        atLeastOne("--requests", requests == null ? 1 : requests);
        atLeastOne("--size", size == null ? 1 : size.bytes());
        atLeastOne("--block-size", blockSize.bytes());
        check(blockSize.bytes() <= Integer.MAX_VALUE, "--block-size is less than 2G, not " + blockSize);
        // So that NaN, which is neither more nor less, is refused, too.
        check(
                measured > 0 && measured <= UNLIMITED_SECONDS,
                "--seconds is more than 0, and a thousand million at most, not " + measured);
        check(warmUp >= 0 && warmUp <= UNLIMITED_SECONDS, "--warmup is 0 to a thousand million seconds, not " + warmUp);
        check(readPercent == null || readPercent <= 100, "--read-percent is 0 to 100, not " + readPercent);
        boolean mixes = operation == Operation.RANDRW || operation == Operation.RW;
        check(readPercent == null || mixes, "--read-percent is for --op randrw and --op rw");
        return new LoadOptions(
                operation,
                readPercent != null ? readPercent : operation.readPercent(),
                (int) blockSize.bytes(),
                span.bytes(),
                queueDepth,
                Duration.ofNanos((long) (measured * NANOS_A_SECOND)),
                limit(),
                rate,
                Duration.ofNanos((long) (warmUp * NANOS_A_SECOND)),
                verify,
                cpu == null ? OptionalInt.empty() : OptionalInt.of(cpu));
    }

    private static void atLeastOne(String option, long value) {
        check(value >= 1, option + " is at least 1, not " + value);
    }

    private static void check(boolean isRight, String right) {
        if (!isRight) {
            throw new IllegalArgumentException(right);
        }
    }

    /** The number of requests that end the load; 0 if only time does. */
    private long limit() {
        long sized = size == null ? Long.MAX_VALUE : Math.max(1, size.bytes() / blockSize.bytes());
        long least = Math.min(sized, requests == null ? Long.MAX_VALUE : requests);
        return least == Long.MAX_VALUE ? 0 : least;
    }

    /** Runs one load, which Ctrl-C ends early. */
    static LoadResult run(NvmeController controller, NvmeNamespace namespace, LoadOptions options, int jobs)
            throws IOException {
        try (LoadJobs load = new LoadJobs(controller, namespace, options, jobs);
                BenchProgress progress = new BenchProgress(load)) {
            Interruption.onRequest(load::stop);
            progress.start();
            return load.run();
        } finally {
            Interruption.onRequest(null);
        }
    }

    static Map<String, Object> json(
            NvmeController controller, NvmeNamespace namespace, LoadOptions options, int jobs, LoadResult result) {
        Map<String, Object> json = Json.object();
        json.put("device", controller.address().toString());
        json.put("op", options.operation().toString());
        json.put("blockSize", options.blockSizeBytes());
        json.put("queueDepth", options.queueDepth());
        json.put("readPercent", options.readPercent());
        json.put("jobs", jobs);
        json.put("span", options.spanBytes() == 0 ? namespace.sizeBytes() : options.spanBytes());
        json.put("rate", options.requestsPerSecond());
        json.put("seconds", Json.rounded(result.seconds()));
        json.put("iops", Math.round(result.iops()));
        json.put("mibPerSecond", Json.rounded(result.mibPerSecond()));
        Map<String, Object> latency = Json.object();
        latency.put("mean", Json.rounded(result.latency().mean()));
        latency.put("p50", result.latency().p50());
        latency.put("p90", result.latency().p90());
        latency.put("p99", result.latency().p99());
        latency.put("p999", result.latency().p999());
        latency.put("p9999", result.latency().p9999());
        latency.put("max", result.latency().max());
        json.put("latencyMicros", latency);
        List<Object> histogram = new ArrayList<>();
        for (LoadResult.Bucket bucket : result.histogram()) {
            Map<String, Object> entry = Json.object();
            entry.put("toMicros", bucket.toMicros());
            entry.put("requests", bucket.requests());
            histogram.add(entry);
        }
        json.put("histogram", histogram);
        json.put("operations", result.operations());
        json.put("verified", result.verified());
        json.put("mismatches", result.mismatches());
        json.put("errors", result.errors());
        json.put("allocatedBytesPerOp", Json.rounded(result.allocatedBytesPerOperation()));
        return json;
    }
}
