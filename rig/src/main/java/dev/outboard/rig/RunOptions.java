package dev.outboard.rig;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The command line of {@link RunInGuest}. */
final class RunOptions {
    private final List<Path> results = new ArrayList<>();
    private final List<String> qemuArguments = new ArrayList<>();
    private List<String> modules = QemuMachine.DEFAULT_MODULES;
    private Duration limit = Duration.ofMinutes(5);
    private String kernelOptions = "";
    private int memoryMebibytes = 4096;
    private int processors = 2;
    private boolean traceOnDemand;
    private @Nullable Path trace;
    private @Nullable Path console;
    private GuestCommand command;

    private RunOptions(GuestCommand command) {
        this.command = command;
    }

    /** Understands the arguments, or throws an IllegalArgumentException that says which it does not. */
    static RunOptions parse(List<String> arguments) {
        int separator = arguments.indexOf("--");
        if (separator < 0 || separator == arguments.size() - 1) {
            throw new IllegalArgumentException("There is no -- COMMAND");
        }
        List<String> command = arguments.subList(separator + 1, arguments.size());
        RunOptions options = new RunOptions(GuestCommand.of(command.toArray(String[]::new)));
        Iterator<String> rest = arguments.subList(0, separator).iterator();
        while (rest.hasNext()) {
            options.take(rest.next(), rest);
        }
        if (!options.results.isEmpty()) {
            options.command = options.command.with(
                    "OUTBOARD_RESULTS", options.results.getFirst().toString());
        }
        return options;
    }

    private void take(String option, Iterator<String> rest) {
        if (option.equals("--trace-on-demand")) {
            traceOnDemand = true;
            return;
        }
        if (!rest.hasNext()) {
            throw new IllegalArgumentException("No such option, or no value for it: " + option);
        }
        String value = rest.next();
        switch (option) {
            case "--results" -> results.add(Path.of(value).toAbsolutePath().normalize());
            case "--timeout" -> limit = Duration.ofSeconds(number(option, value));
            case "--trace" -> trace = Path.of(value);
            case "--console" -> console = Path.of(value);
            case "--modules" -> modules = value.isEmpty() ? List.of() : List.of(value.split(","));
            case "--kernel-options" -> kernelOptions = value;
            case "--memory" -> memoryMebibytes = number(option, value);
            case "--cpus" -> processors = number(option, value);
            case "--qemu" -> qemuArguments.add(value);
            case "--env" -> {
                int equals = value.indexOf('=');
                if (equals < 0) {
                    throw new IllegalArgumentException("--env takes NAME=VALUE, not " + value);
                }
                command = command.with(value.substring(0, equals), value.substring(equals + 1));
            }
            default -> throw new IllegalArgumentException("No such option: " + option);
        }
    }

    private static int number(String option, String value) {
        try {
            int number = Integer.parseInt(value);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("%s takes a number, not %s".formatted(option, value), e);
        }
        throw new IllegalArgumentException("%s takes a positive number, not %s".formatted(option, value));
    }

    List<Path> results() {
        return results;
    }

    List<String> qemuArguments() {
        return qemuArguments;
    }

    List<String> modules() {
        return modules;
    }

    Duration limit() {
        return limit;
    }

    String kernelOptions() {
        return kernelOptions;
    }

    int memoryMebibytes() {
        return memoryMebibytes;
    }

    int processors() {
        return processors;
    }

    boolean traceOnDemand() {
        return traceOnDemand;
    }

    Optional<Path> trace() {
        return Optional.ofNullable(trace);
    }

    Optional<Path> console() {
        return Optional.ofNullable(console);
    }

    GuestCommand command() {
        return command;
    }
}
