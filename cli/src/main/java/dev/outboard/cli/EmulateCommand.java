package dev.outboard.cli;

import dev.outboard.emulation.ModelOptions;
import dev.outboard.emulation.Models;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code outboard emulate}: several devices, and a subcommand for each model, with the model's options. */
@Command(
        name = "emulate",
        description = "Serves emulated devices to any vfio-user client, until interrupted: one with the options of its"
                + " model, or several in one process.")
final class EmulateCommand implements Callable<Integer> {
    @CommandLine.Spec
    private @Nullable CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "MODEL[?OPTIONS]@SOCKET",
            description = "Devices, each with where it listens: nvme@/tmp/a.sock 'nvme?size=64M&serial=B@/tmp/b.sock'."
                    + " One thread serves them all, but for those with the option cpu=N, which have one of their own,"
                    + " pinned there.")
    private List<String> devices = new ArrayList<>();

    @Option(names = "--thread-each", description = "A thread for each device, instead of one for all.")
    private boolean threadEach;

    @Option(names = "--cpu", paramLabel = "N", description = "The processor that the thread for all is pinned to.")
    private @Nullable Integer cpu;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        if (spec != null && devices.isEmpty()) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    "which model? there is: "
                            + String.join(", ", spec.subcommands().keySet()) + "; several at once are written as"
                            + " nvme@/tmp/a.sock edu@/tmp/b.sock");
        }
        List<EmulatedDevices.Device> parsed =
                devices.stream().map(EmulatedDevices.Device::parse).toList();
        try (EmulatedDevices served = EmulatedDevices.listen(parsed, threadEach, cpu)) {
            if (output.json()) {
                Map<String, Object> json = Json.object();
                json.put(
                        "devices",
                        parsed.stream()
                                .map(device -> json(device.model(), device.socket()))
                                .toList());
                Json.print(System.out, json);
            } else {
                parsed.forEach(device -> System.out.println(device.model() + " is listening on " + device.socket()));
            }
            serve(served);
        }
        return 0;
    }

    private static Map<String, Object> json(String model, Path socket) {
        Map<String, Object> json = Json.object();
        json.put("model", model);
        json.put("socket", socket.toString());
        return json;
    }

    private static void serve(EmulatedDevices served) throws IOException {
        Interruption.onRequest(served::stop);
        try {
            served.run();
        } finally {
            Interruption.onRequest(null);
        }
    }

    /** One for each model that there is. */
    static Subcommands subcommands() {
        Subcommands subcommands = new Subcommands();
        for (Models.Kind kind : Models.kinds()) {
            subcommands.with(kind.name(), () -> subcommand(kind));
        }
        return subcommands;
    }

    private static CommandSpec subcommand(Models.Kind kind) {
        Serve serve = new Serve(kind);
        CommandSpec model = CommandSpec.forAnnotatedObject(serve);
        model.name(kind.name());
        if (kind.name().startsWith(VhostUserServing.DEVICES)) {
            model.addMixin("vhostUser", CommandSpec.forAnnotatedObject(serve.vhostUser));
        }
        model.usageMessage().description("Serves " + kind.summary() + " to any vfio-user client, until interrupted.");
        kind.options()
                .forEach((name, meaning) -> model.addOption(OptionSpec.builder("--" + name)
                        .paramLabel("VALUE")
                        .type(String.class)
                        .description("The default is in parentheses: " + meaning + ".")
                        .build()));
        return model;
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
            var device = new EmulatedDevices.Device(kind.name(), ModelOptions.of(options), socket);
            try (EmulatedDevices served = EmulatedDevices.listen(List.of(device), false, cpu)) {
                announce(socket);
                serve(served);
            }
            return 0;
        }

        private void announce(Path path) throws IOException {
            if (output.json()) {
                Json.print(System.out, json(kind.name(), path));
            } else {
                System.out.println("listening on " + path);
            }
        }
    }
}
