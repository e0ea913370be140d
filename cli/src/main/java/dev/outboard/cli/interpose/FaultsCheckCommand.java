package dev.outboard.cli.interpose;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.emulation.fault.FaultPlan;
import dev.outboard.emulation.fault.FaultRule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code outboard faults check}. */
@Command(name = "check", description = "Reads fault rules, and prints them as they were understood.")
final class FaultsCheckCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The rules.")
    private @Nullable Path file;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        FaultPlan plan = FaultPlan.read(Objects.requireNonNull(file));
        if (output.json()) {
            Json.print(System.out, json(plan));
        } else {
            System.out.print(plan);
        }
        return 0;
    }

    /** The rules as a document. */
    static Map<String, Object> json(FaultPlan plan) {
        Map<String, Object> json = Json.object();
        json.put("seed", plan.seed());
        List<Object> rules = new ArrayList<>();
        for (FaultRule rule : plan.rules()) {
            Map<String, Object> object = Json.object();
            object.put("on", rule.target().toString());
            object.put("when", rule.timing().toString().strip());
            object.put("do", rule.action().toString());
            rules.add(object);
        }
        json.put("rules", rules);
        return json;
    }
}
