package dev.outboard.cli;

import dev.outboard.cli.interpose.FaultsCommand;
import dev.outboard.cli.interpose.TraceCommand;
import dev.outboard.cli.nvme.NvmeCommand;
import dev.outboard.cli.reg.RegisterGroup;
import dev.outboard.emulation.recording.IncompleteRecordingException;
import dev.outboard.linux.SystemCalls;
import dev.outboard.memory.Claims;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ScopeType;

/** The command {@code outboard}. */
@Command(
        name = "outboard",
        description = "Linux device drivers in Java, outside the kernel.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        scope = ScopeType.INHERIT,
        sortOptions = false,
        usageHelpAutoWidth = true,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:success", "1:a failure, explained in one line", "2:wrong usage", "130:interrupted"})
public final class Main implements Runnable {
    /** A failure that the command explains in one line. */
    static final int FAILURE = 1;

    private static final int MOST_OWNER_WORDS = 3;
    private static final String DEBUG = "OUTBOARD_DEBUG";

    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    private Main() {}

    /** What {@code --version} prints. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getModule().getDescriptor() == null
                    ? "development"
                    : Main.class.getModule().getDescriptor().rawVersion().orElse("development");
            return new String[] {"outboard " + version + " on Java " + Runtime.version()};
        }
    }

    @Override
    public void run() {
        if (spec != null) {
            throw new CommandLine.ParameterException(spec.commandLine(), "which command?");
        }
    }

    /**
     * Runs one command and ends the process with its exit status.
     *
     * @param arguments the command and its options
     */
    public static void main(String[] arguments) {
        start();
        StandardOutput.install();
        int status = FAILURE;
        try {
            status = execute(arguments);
        } finally {
            Interruption.unwound();
        }
        System.exit(status);
    }

    /** What comes before a command. */
    static void start() {
        // While picocli reads annotations, which takes as long.
        Thread.ofPlatform().daemon().name("outboard-link").start(SystemCalls::linkAhead);
        Interruption.install();
    }

    private static Subcommands subcommands() {
        return new Subcommands()
                .with("devices", DevicesCommand::new)
                .with("bind", BindCommand::new)
                .with("unbind", UnbindCommand::new)
                .with("claims", ClaimsCommand::new)
                .with("reg", RegisterGroup.Reg::new, RegisterGroup::deviceCommands)
                .with("mem", RegisterGroup.Mem::new, RegisterGroup::memoryCommands)
                .with("port", RegisterGroup.Port::new, RegisterGroup::portCommands)
                .with("run", RunCommand::new, RunCommand::subcommands)
                .with("nvme", NvmeCommand::new, NvmeCommand::subcommands)
                .with("emulate", EmulateCommand::new, EmulateCommand::subcommands)
                .with("faults", FaultsCommand::new, FaultsCommand::subcommands)
                .with("trace", TraceCommand::new);
    }

    static int execute(String... arguments) {
        // Who asks for the owner of a device sees the command, as far as it is no option's value.
        System.setProperty(
                Claims.OWNER_PROPERTY,
                Stream.concat(Stream.of("outboard"), Stream.of(arguments).takeWhile(word -> !word.startsWith("-")))
                        .limit(MOST_OWNER_WORDS)
                        .collect(Collectors.joining(" ")));
        return commandLine(arguments).execute(arguments);
    }

    /** The command, with those of its subcommands that the arguments can mean. */
    static CommandLine commandLine(String... arguments) {
        CommandLine commandLine = new CommandLine(new Main());
        subcommands().addTo(commandLine, List.of(arguments));
        OptionValues.register(commandLine);
        commandLine.setParameterExceptionHandler(Main::wrongUsage);
        commandLine.setExecutionExceptionHandler(Main::failed);
        commandLine.setExecutionStrategy(Main::runToTheEnd);
        return commandLine;
    }

    /** Runs the command, or prints its help: nothing that was printed is lost without a word. */
    private static int runToTheEnd(CommandLine.ParseResult parsed) {
        try {
            int status = new CommandLine.RunLast().execute(parsed);
            System.out.flush();
            return status;
        } catch (UncheckedIOException e) {
            return explain(unwrapped(e), parsed.commandSpec().commandLine().getErr());
        }
    }

    private static int wrongUsage(CommandLine.ParameterException exception, String[] arguments) {
        // What was given, as it was given, then why it cannot be.
        String message = exception.getArgSpec() instanceof CommandLine.Model.OptionSpec option
                        && exception.getCause() instanceof CommandLine.TypeConversionException reason
                ? option.longestName() + " " + exception.getValue() + ": " + reason.getMessage()
                : exception.getMessage();
        return wrongUsage(message, exception.getCommandLine());
    }

    private static int wrongUsage(@Nullable String message, CommandLine commandLine) {
        String command = commandLine.getCommandSpec().qualifiedName(" ");
        commandLine.getErr().println(command + ": " + message + "; see " + command + " --help");
        return CommandLine.ExitCode.USAGE;
    }

    private static int failed(Exception exception, CommandLine commandLine, CommandLine.ParseResult parsed) {
        PrintWriter err = commandLine.getErr();
        boolean isIncomplete = exception.getCause() instanceof IncompleteRecordingException;
        // What fails while it is unwound says nothing, but for what is left to the user.
        if (Interruption.requested() && !isIncomplete) {
            return FAILURE;
        }
        // An argument that nothing could be made of, in the words of whoever had to.
        if (exception instanceof IllegalArgumentException) {
            return wrongUsage(exception.getMessage(), commandLine);
        }
        return explain(unwrapped(exception), err);
    }

    private static Throwable unwrapped(Exception exception) {
        Throwable cause = exception instanceof UncheckedIOException ? exception.getCause() : null;
        return cause == null ? exception : cause;
    }

    private static int explain(Throwable shown, PrintWriter err) {
        if (shown instanceof StandardOutput.ReaderGoneException) {
            return FAILURE;
        }
        // What users can cause is an IOException, or a place that a device does not have; anything else is ours.
        boolean explained = shown instanceof IOException
                || shown instanceof IndexOutOfBoundsException
                || shown instanceof IllegalStateException;
        String message = shown instanceof FileSystemException file ? NamedFile.explain(file) : shown.getMessage();
        err.println("outboard: " + (explained ? message : "internal error: " + shown));
        if (!explained || System.getenv(DEBUG) != null) {
            shown.printStackTrace(err);
        }
        return FAILURE;
    }
}
