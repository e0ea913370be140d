package dev.outboard.cli.reg;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code outboard reg}. */
@Command(
        name = "reg",
        description = "Device registers from the shell, by offset or by name, each access of exactly its width.",
        subcommands = {
            RegReadCommand.class,
            RegWriteCommand.class,
            RegDumpCommand.class,
            RegWatchCommand.class,
            RegGenerateCommand.class
        })
public final class RegCommand implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    /** For picocli. */
    public RegCommand() {}

    @Override
    public void run() {
        if (spec != null) {
            throw new CommandLine.ParameterException(spec.commandLine(), "which command?");
        }
    }
}
