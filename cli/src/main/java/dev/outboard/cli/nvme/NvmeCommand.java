package dev.outboard.cli.nvme;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code outboard nvme}: a controller from the shell. */
@Command(
        name = "nvme",
        description = "An NVMe controller from the shell.",
        subcommands = {
            IdentifyCommand.class,
            ReadCommand.class,
            WriteCommand.class,
            TrimCommand.class,
            BenchCommand.class
        })
public final class NvmeCommand implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    /** For picocli. */
    public NvmeCommand() {}

    @Override
    public void run() {
        if (spec != null) {
            throw new CommandLine.ParameterException(spec.commandLine(), "which command?");
        }
    }
}
