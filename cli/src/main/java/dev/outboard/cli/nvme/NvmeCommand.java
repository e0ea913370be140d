package dev.outboard.cli.nvme;

import dev.outboard.cli.Subcommands;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code outboard nvme}: a controller from the shell. */
@Command(name = "nvme", description = "An NVMe controller from the shell.")
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

    /**
     * What it does.
     *
     * @return its subcommands
     */
    public static Subcommands subcommands() {
        return new Subcommands()
                .with("identify", IdentifyCommand::new)
                .with("read", ReadCommand::new)
                .with("write", WriteCommand::new)
                .with("bench", BenchCommand::new)
                .with("trim", TrimCommand::new)
                .with("copy", CopyCommand::new)
                .with("smart", SmartCommand::new)
                .with("error-log", ErrorLogCommand::new)
                .with("namespaces", NamespacesCommand::new)
                .with("features", FeaturesCommand::new)
                .with("format", FormatCommand::new)
                .with("sanitize", SanitizeCommand::new)
                .with("firmware", FirmwareCommand::new)
                .with("self-test", SelfTestCommand::new)
                .with("reset", ResetCommand::new)
                .with("passthru", PassthruCommand::new);
    }
}
