package dev.outboard.cli.interpose;

import dev.outboard.cli.Subcommands;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code outboard faults}. */
@Command(name = "faults", description = "Fault rules, which --faults of other commands has act on a device.")
public final class FaultsCommand implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    /** For picocli. */
    public FaultsCommand() {}

    @Override
    public void run() {
        if (spec != null) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    "what to do? there is: "
                            + String.join(", ", spec.subcommands().keySet()));
        }
    }

    /**
     * What it does.
     *
     * @return its subcommands
     */
    public static Subcommands subcommands() {
        return new Subcommands().with("check", FaultsCheckCommand::new).with("generate", FaultsGenerateCommand::new);
    }
}
