package dev.outboard.cli.reg;

import dev.outboard.cli.Subcommands;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;

/** {@code outboard reg}, {@code outboard mem} and {@code outboard port}: the same commands on registers elsewhere. */
public abstract class RegisterGroup implements Runnable {
    @CommandLine.Spec
    private @Nullable CommandSpec spec;

    /** {@code outboard reg}. */
    @Command(
            name = "reg",
            description = "Device registers from the shell, by offset or by name, each access of exactly its width.")
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
     * What {@code outboard reg} does.
     *
     * @return its subcommands
     */
    public static Subcommands deviceCommands() {
        return addAccesses(new Subcommands().with("generate", GenerateCommand::new), DevicePlace::new);
    }

    /**
     * What {@code outboard mem} does.
     *
     * @return its subcommands
     */
    public static Subcommands memoryCommands() {
        return addAccesses(new Subcommands(), AddressPlace::memory);
    }

    /**
     * What {@code outboard port} does.
     *
     * @return its subcommands
     */
    public static Subcommands portCommands() {
        return addAccesses(new Subcommands(), AddressPlace::ports);
    }

    private static Subcommands addAccesses(Subcommands commands, Supplier<Place> place) {
        return commands.with("read", () -> specification(new ReadCommand(place.get())))
                .with("write", () -> specification(new WriteCommand(place.get())))
                .with("dump", () -> specification(new DumpCommand(place.get())))
                .with("watch", () -> specification(new WatchCommand(place.get())));
    }

    private static CommandSpec specification(RegisterCommand command) {
        CommandSpec specification = CommandSpec.forAnnotatedObject(command);
        command.place().addTo(specification, command.registerIsOptional(), command.takesValue());
        return specification;
    }
}
