package dev.outboard.cli.interpose;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.emulation.fault.FaultGenerator;
import dev.outboard.emulation.fault.FaultPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code outboard faults generate}. */
@Command(
        name = "generate",
        description =
                "Prints fault rules for each place that a driver touched in a recording. They are meant to be tried"
                        + " one by one: --each writes a file for each.")
final class FaultsGenerateCommand implements Callable<Integer> {
    @Parameters(paramLabel = "RECORDING", description = "What --record wrote.")
    private @Nullable Path recording;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "What chance is made of; unless told ${DEFAULT-VALUE}.")
    private long seed = 1;

    @Option(names = "--each", paramLabel = "DIRECTORY", description = "Write each rule into a file of its own there.")
    private @Nullable Path directory;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        FaultPlan plan = FaultGenerator.generate(Objects.requireNonNull(recording), seed);
        if (directory != null) {
            Files.createDirectories(directory);
            for (int i = 0; i < plan.rules().size(); i++) {
                FaultPlan one = new FaultPlan(seed, List.of(plan.rules().get(i)));
                Files.writeString(directory.resolve(String.format("%04d.faults", i + 1)), one.toString());
            }
        }
        if (output.json()) {
            Map<String, Object> json = FaultsCheckCommand.json(plan);
            if (directory != null) {
                json.put("directory", directory.toString());
            }
            Json.print(System.out, json);
        } else if (directory != null) {
            System.out.println(plan.rules().size() + " rules are in " + directory);
        } else {
            System.out.print(plan);
        }
        return 0;
    }
}
