package dev.outboard.bench;

import com.fasterxml.jackson.jr.ob.JSON;
import dev.outboard.driver.ByteSize;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code bench/compare}. */
@Command(
        name = "bench/compare",
        description = "Measures a hot path against what a user would pick instead, both sides in turn; without a name,"
                + " lists what can be compared.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true)
public final class Compare implements Callable<Integer> {
    /** As the command outboard prints it, but with the figures that a case that was not measured has not: null. */
    private static final JSON JSON_WRITER = JSON.builder()
            .enable(JSON.Feature.PRETTY_PRINT_OUTPUT)
            .enable(JSON.Feature.WRITE_NULL_PROPERTIES)
            .build();

    private static final int WRONG_USAGE = CommandLine.ExitCode.USAGE;

    @Parameters(arity = "0..1", paramLabel = "NAME", description = "What to compare.")
    private @Nullable String name;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "1",
            description = "How long a side of an NVMe case is measured in a round; unless told ${DEFAULT-VALUE}. Rounds"
                    + " of register accesses have a fixed length.")
    private double seconds = 1;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "0",
            description = "How many rounds each side of a case has; unless told 25 of register accesses, 5 of others.")
    private int rounds;

    @Option(
            names = "--case",
            paramLabel = "REGEX",
            defaultValue = "",
            description = "Measure the cases alone in whose names this is found.")
    private Pattern only = Pattern.compile("");

    @Option(
            names = "--size",
            paramLabel = "S",
            defaultValue = "1G",
            description = "The size of namespaces; unless told ${DEFAULT-VALUE}.")
    private ByteSize size = new ByteSize(1 << 30);

    @Option(
            names = "--target",
            paramLabel = "T",
            defaultValue = Settings.EMULATOR,
            description =
                    "What nvme drives: emulator, c (bench/peers/nvme_target), or a program with that one's command"
                            + " line; unless told ${DEFAULT-VALUE}.")
    private String target = Settings.EMULATOR;

    @Option(
            names = "--peer",
            paramLabel = "PATH",
            description = "A program to measure against instead of the one of bench/peers: with its command line, or"
                    + " SPDK's spdk_nvme_perf.")
    private @Nullable Path peer;

    @Option(names = "--json", description = "Print one JSON document on standard output.")
    private boolean json;

    private final Path root;

    private Compare(Path root) {
        this.root = root;
    }

    /**
     * Runs the command and ends the process with its exit status.
     *
     * @param arguments the command's
     */
    public static void main(String[] arguments) {
        Compare compare =
                new Compare(Path.of(System.getProperty("outboard.root", ".")).toAbsolutePath());
        CommandLine commandLine = new CommandLine(compare);
        commandLine.registerConverter(ByteSize.class, ByteSize::parse);
        commandLine.setExecutionExceptionHandler((exception, line, parsed) -> {
            line.getErr().println("bench: " + exception);
            return 1;
        });
        System.exit(commandLine.execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        if (name == null) {
            list(System.out);
            return 0;
        }
        Comparison comparison = find(name);
        if (comparison == null) {
            System.err.println("bench/compare: there is no comparison \"" + name + "\"; there is:");
            list(System.err);
            return WRONG_USAGE;
        }
        if (seconds <= 0 || rounds < 0) {
            System.err.println("bench/compare: --seconds is more than 0, --rounds is not less than 0");
            return WRONG_USAGE;
        }
        if (comparison.cases().stream().noneMatch(what -> only.matcher(what).find())) {
            System.err.println("bench/compare: " + name + " has no case \"" + only + "\" but "
                    + String.join(", ", comparison.cases()));
            return WRONG_USAGE;
        }
        run(comparison);
        return 0;
    }

    private static @Nullable Comparison find(String name) {
        for (Comparison comparison : Comparison.ALL) {
            if (comparison.name().equals(name)) {
                return comparison;
            }
        }
        return null;
    }

    private static void list(PrintStream out) {
        for (Comparison comparison : Comparison.ALL) {
            out.printf("%-10s %s%n", comparison.name(), comparison.summary());
        }
    }

    private void run(Comparison comparison) throws IOException {
        Settings settings = new Settings(root, seconds, rounds, size.bytes(), peer, target, only);
        List<Map<String, @Nullable Object>> document = new ArrayList<>();
        ResultTable table = new ResultTable(System.out);
        try (Programs programs = new Programs()) {
            Bench bench = new Bench(comparison, comparison.peer(settings), new PingPong(settings, programs), result -> {
                if (json) {
                    document.add(result.json());
                } else {
                    table.add(result);
                }
            });
            try {
                comparison.run(settings, programs, bench);
            } catch (IOException e) {
                bench.restNotMeasured(settings, e);
            }
        }
        if (json) {
            System.out.println(JSON_WRITER.asString(document));
        }
    }
}
