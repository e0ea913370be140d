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
            BenchCommand.class,
            TrimCommand.class,
            SmartCommand.class,
            ErrorLogCommand.class,
            NamespacesCommand.class,
            FeaturesCommand.class,
            FormatCommand.class,
            SanitizeCommand.class,
            FirmwareCommand.class,
            SelfTestCommand.class,
            ResetCommand.class,
            PassthruCommand.class
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
