package dev.outboard.cli.reg;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;

/** {@code outboard reg}, {@code outboard mem} and {@code outboard port}: the same commands on registers elsewhere. */
public abstract class RegisterGroup implements Runnable {
    private static final Map<String, Supplier<Place>> PLACES =
            Map.of("reg", DevicePlace::new, "mem", AddressPlace::memory, "port", AddressPlace::ports);

    @CommandLine.Spec
    private @Nullable CommandSpec spec;

    /** {@code outboard reg}. */
    @Command(
            name = "reg",
            description = "Device registers from the shell, by offset or by name, each access of exactly its width.",
            subcommands = GenerateCommand.class)
    public static final class Reg extends RegisterGroup {
        /** For picocli. */
        public Reg() {}
    }

    /** {@code outboard mem}. */
    @Command(
            name = "mem",
            description = {
                "Physical memory from the shell: device registers by their addresses, as /proc/iomem lists them.",
                "RAM is refused. Needs root."
            })
    public static final class Mem extends RegisterGroup {
        /** For picocli. */
        public Mem() {}
    }

    /** {@code outboard port}. */
    @Command(
            name = "port",
            description = "I/O ports from the shell, as /proc/ioports lists them, in 8, 16 and 32 bits. Needs root.")
    public static final class Port extends RegisterGroup {
        /** For picocli. */
        public Port() {}
    }

    private RegisterGroup() {}

    @Override
    public final void run() {
        if (spec != null) {
            throw new CommandLine.ParameterException(spec.commandLine(), "which command?");
        }
    }

    /**
     * Adds to each of the three what it does.
     *
     * @param outboard the command that has them
     */
    public static void addCommands(CommandLine outboard) {
        PLACES.forEach((name, place) -> {
            CommandLine group = Objects.requireNonNull(outboard.getSubcommands().get(name));
            List<RegisterCommand> commands = List.of(
                    new ReadCommand(place.get()),
                    new WriteCommand(place.get()),
                    new DumpCommand(place.get()),
                    new WatchCommand(place.get()));
            for (RegisterCommand command : commands) {
                CommandSpec commandSpec = CommandSpec.forAnnotatedObject(command);
                command.place().addTo(commandSpec, command.registerIsOptional(), command.takesValue());
                group.addSubcommand(commandSpec.name(), new CommandLine(commandSpec));
            }
        });
    }
}
