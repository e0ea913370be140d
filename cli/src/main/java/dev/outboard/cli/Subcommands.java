package dev.outboard.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * The subcommands of a command, by name. Of all that there are, only the one that the arguments name is made: for each of
 * them picocli reads annotations for milliseconds, and there are fifty. Without a name, as for {@code --help}, all are.
 */
public final class Subcommands {
    private record Entry(Supplier<?> command, Supplier<Subcommands> below) {}

    private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();

    /** Makes an empty list. */
    public Subcommands() {}

    /**
     * Adds one.
     *
     * @param name its name, also in its annotation
     * @param command makes it: an object that picocli's annotations describe, or a specification of picocli's
     * @return this
     */
    public Subcommands with(String name, Supplier<?> command) {
        return with(name, command, Subcommands::new);
    }

    /**
     * Adds one that has subcommands itself.
     *
     * @param name its name, also in its annotation
     * @param command makes it
     * @param below makes the list of its subcommands
     * @return this
     */
    public Subcommands with(String name, Supplier<?> command, Supplier<Subcommands> below) {
        entries.put(name, new Entry(command, below));
        return this;
    }

    /** Makes what the arguments name, or all, and adds it to the command that the arguments are for. */
    void addTo(CommandLine parent, List<String> arguments) {
        String name = arguments.isEmpty() ? "" : arguments.getFirst();
        @Nullable Entry named = entries.get(name);
        if (named != null) {
            add(parent, name, named, arguments.subList(1, arguments.size()));
        } else {
            for (Map.Entry<String, Entry> each : entries.entrySet()) {
                add(parent, each.getKey(), each.getValue(), List.of());
            }
        }
    }

    private static void add(CommandLine parent, String name, Entry entry, List<String> arguments) {
        CommandLine made = new CommandLine(entry.command.get());
        entry.below.get().addTo(made, arguments);
        parent.addSubcommand(name, made);
    }
}
