package dev.outboard.cli;

import dev.outboard.cli.nvme.RunNvmeCommand;
import dev.outboard.cli.samples.RunEduCommand;
import dev.outboard.cli.samples.RunIdioCommand;
import dev.outboard.cli.samples.RunIvshmemCommand;
import dev.outboard.cli.samples.RunSerialCommand;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code outboard run}. */
@Command(name = "run", description = "Runs a driver, shows what it does, and stays up until interrupted.")
final class RunCommand implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    @Override
    public void run() {
        if (spec != null) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    "which driver? there is: "
                            + String.join(", ", spec.subcommands().keySet()));
        }
    }

    static Subcommands subcommands() {
        return new Subcommands()
                .with("nvme", RunNvmeCommand::new)
                .with("edu", RunEduCommand::new)
                .with("serial", RunSerialCommand::new)
                .with("idio16", RunIdioCommand::new)
                .with("ivshmem", RunIvshmemCommand::new);
    }
}
