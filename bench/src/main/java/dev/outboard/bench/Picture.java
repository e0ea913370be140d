package dev.outboard.bench;

import dev.outboard.cli.SvgChart;
import dev.outboard.driver.ByteSize;
import dev.outboard.nvme.Nvme;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.load.LoadJobs;
import dev.outboard.nvme.load.LoadOptions;
import dev.outboard.nvme.load.LoadResult;
import dev.outboard.nvme.load.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code bench/picture}. */
@Command(
        name = "bench/picture",
        description = "Measures the NVMe driver on a target at several block sizes, depths and numbers of queues, and"
                + " draws that as SVG.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true)
public final class Picture implements Callable<Integer> {
    private static final long TARGET_BYTES = 1 << 30;
    private static final double MILLION = 1e6;
    private static final double MIB_A_GIB = 1024;
    private static final double NANOS_A_SECOND = 1e9;
    private static final int SMALL = 4 << 10;
    private static final int[] DEPTHS = {1, 2, 4, 8, 16, 32, 64, 128};
    private static final int[] SIZES = {512, 4 << 10, 16 << 10, 64 << 10, 128 << 10};
    private static final int[] DEPTHS_OF_SIZES = {1, 8, 32};

    @Parameters(paramLabel = "FILE", description = "Where to draw it.")
    private Path file = Path.of("nvme.svg");

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "1",
            description = "How long each point is measured; unless told ${DEFAULT-VALUE}.")
    private double seconds = 1;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "How often each point is measured, of which the median is drawn; unless told"
                    + " ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--target",
            paramLabel = "T",
            defaultValue = Settings.EMULATOR,
            description = "As of bench/compare; unless told ${DEFAULT-VALUE}.")
    private String target = Settings.EMULATOR;

    private Picture() {}

    /**
     * Runs the command and ends the process with its exit status.
     *
     * @param arguments the command's
     */
    public static void main(String[] arguments) {
        CommandLine commandLine = new CommandLine(new Picture());
        commandLine.setExecutionExceptionHandler((exception, line, parsed) -> {
            line.getErr().println("bench/picture: " + exception);
            return 1;
        });
        System.exit(commandLine.execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        Path root = Path.of(System.getProperty("outboard.root", ".")).toAbsolutePath();
        Settings settings = new Settings(root, seconds, rounds, TARGET_BYTES, null, target, Pattern.compile(""));
        try (Programs programs = new Programs()) {
            Path socket = NvmeTarget.start(target, settings, programs).socket();
            List<SvgChart> charts = List.of(ofDepths(socket), ofSizes(socket));
            Files.writeString(file, SvgChart.svg("The NVMe driver on an emulated controller (" + target + ")", charts));
        }
        System.out.println(file);
        return 0;
    }

    private SvgChart ofDepths(Path socket) throws IOException {
        List<SvgChart.Series> lines = List.of(
                ofDepths(socket, "1 queue, reads", Operation.RANDREAD, 1),
                ofDepths(socket, "1 queue, writes", Operation.RANDWRITE, 1),
                ofDepths(socket, "2 queues, reads", Operation.RANDREAD, 2));
        List<String> categories =
                Arrays.stream(DEPTHS).mapToObj(Integer::toString).toList();
        return new SvgChart(
                "4 KiB at random", "million requests a second", categories, "queue depth", SvgChart.Kind.LINES, lines);
    }

    private SvgChart.Series ofDepths(Path socket, String name, Operation operation, int jobs) throws IOException {
        List<Double> values = new ArrayList<>();
        for (int depth : DEPTHS) {
            values.add(measure(socket, operation, SMALL, depth, jobs).iops() / MILLION);
        }
        return new SvgChart.Series(name, values);
    }

    private SvgChart ofSizes(Path socket) throws IOException {
        List<SvgChart.Series> lines = new ArrayList<>();
        for (int depth : DEPTHS_OF_SIZES) {
            List<Double> values = new ArrayList<>();
            for (int size : SIZES) {
                values.add(measure(socket, Operation.RANDREAD, size, depth, 1).mibPerSecond() / MIB_A_GIB);
            }
            lines.add(new SvgChart.Series("depth " + depth, values));
        }
        List<String> categories = Arrays.stream(SIZES)
                .mapToObj(size -> new ByteSize(size).toString())
                .toList();
        return new SvgChart(
                "Reads at random, 1 queue", "GiB/s", categories, "bytes a request", SvgChart.Kind.LINES, lines);
    }

    /** The median round, after one that compiles our driver and target for it. */
    private LoadResult measure(Path socket, Operation operation, int size, int depth, int jobs) throws IOException {
        List<LoadResult> results = new ArrayList<>();
        for (int round = 0; round <= rounds; round++) {
            // Of several threads each has the processor that is free.
            OptionalInt cpu = jobs == 1 ? OptionalInt.of(Settings.DRIVER_CPU) : OptionalInt.empty();
            LoadOptions options = new LoadOptions(
                    operation,
                    size,
                    0,
                    depth,
                    Duration.ofNanos((long) (seconds * NANOS_A_SECOND)),
                    Duration.ofNanos((long) (NvmeDriver.WARM_UP_SECONDS * NANOS_A_SECOND)),
                    cpu);
            try (NvmeController controller = Nvme.open("vfio-user:" + socket);
                    LoadJobs load =
                            new LoadJobs(controller, controller.namespaces().getFirst(), options, jobs)) {
                LoadResult result = load.run();
                if (round > 0) {
                    results.add(result);
                }
            }
        }
        results.sort(Comparator.comparingDouble(LoadResult::iops));
        LoadResult median = results.get(results.size() / 2);
        System.out.printf(
                Locale.ROOT,
                "%-10s %6s depth %3d queues %d: %10.0f IOPS %8.0f MiB/s, p99 %.2f µs%n",
                operation,
                new ByteSize(size),
                depth,
                jobs,
                median.iops(),
                median.mibPerSecond(),
                median.latency().p99());
        return median;
    }
}
