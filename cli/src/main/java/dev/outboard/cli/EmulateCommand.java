package dev.outboard.cli;

import dev.outboard.emulation.ModelOptions;
import dev.outboard.emulation.Models;
import dev.outboard.emulation.PciModel;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.linux.Affinity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/** {@code outboard emulate}: a subcommand for each model, with the model's options. */
@Command(name = "emulate", description = "Serves an emulated device to any vfio-user client, until interrupted.")
final class EmulateCommand implements Runnable {
    @CommandLine.Spec
    private @Nullable CommandSpec spec;

    @Override
    public void run() {
        if (spec != null) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    "which model? there is: "
                            + String.join(", ", spec.subcommands().keySet()));
        }
    }

    /** Adds a subcommand for each model that there is. */
    static void addModels(CommandLine emulate) {
        for (Models.Kind kind : Models.kinds()) {
            Serve serve = new Serve(kind);
            CommandSpec model = CommandSpec.forAnnotatedObject(serve);
            model.name(kind.name());
            if (kind.name().startsWith(VhostUserServing.DEVICES)) {
                model.addMixin("vhostUser", CommandSpec.forAnnotatedObject(serve.vhostUser));
            }
            model.usageMessage()
                    .description("Serves " + kind.summary() + " to any vfio-user client, until interrupted.");
            kind.options()
                    .forEach((name, meaning) -> model.addOption(OptionSpec.builder("--" + name)
                            .paramLabel("VALUE")
                            .type(String.class)
                            .description("The default is in parentheses: " + meaning + ".")
                            .build()));
            emulate.addSubcommand(kind.name(), new CommandLine(model));
        }
    }

    /** Serves one kind of model. */
    @Command
    private static final class Serve implements Callable<Integer> {
        private final Models.Kind kind;
        private final VhostUserServing vhostUser = new VhostUserServing();

        @CommandLine.Spec
        private @Nullable CommandSpec spec;

        @Option(names = "--socket", paramLabel = "PATH", required = true, description = "Where to listen.")
        private @Nullable Path socket;

        @Option(names = "--cpu", paramLabel = "N", description = "The processor that the serving thread is pinned to.")
        private @Nullable Integer cpu;

        @Mixin
        private JsonOption output = new JsonOption();

        Serve(Models.Kind kind) {
            this.kind = kind;
        }

        @Override
        public Integer call() throws IOException {
            if (socket == null || spec == null) {
                throw new IllegalStateException("picocli did not set what is required");
            }
            Map<String, String> options = new LinkedHashMap<>();
            for (String name : kind.options().keySet()) {
                String value = spec.findOption(name).getValue();
                if (value != null) {
                    options.put(name, value);
                }
            }
            if (vhostUser.isWanted()) {
                vhostUser.serve(kind.name(), ModelOptions.of(options), socket, cpu, this::announce);
                return 0;
            }
            try (PciModel model = Models.create(kind.name(), ModelOptions.of(options));
                    VfioUserServer server = VfioUserServer.listen(socket, model)) {
                Interruption.onRequest(server::close);
                if (cpu != null) {
                    Affinity.pin(cpu);
                }
                announce(socket);
                server.run();
            } finally {
                Interruption.onRequest(null);
            }
            return 0;
        }

        private void announce(Path path) throws IOException {
            if (output.json()) {
                Map<String, Object> json = Json.object();
                json.put("model", kind.name());
                json.put("socket", path.toString());
                Json.print(System.out, json);
            } else {
                System.out.println("listening on " + path);
            }
        }
    }
}
