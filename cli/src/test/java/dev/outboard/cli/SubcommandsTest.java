package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Commands are made when they are named, and are the same as when all are. */
class SubcommandsTest {
    /** A command, and the words that name it. */
    record Named(List<String> words, CommandLine command) {
        private Stream<Named> below() {
            return command.getSubcommands().entrySet().stream().flatMap(each -> {
                List<String> deeper = new ArrayList<>(words);
                deeper.add(each.getKey());
                Named named = new Named(deeper, each.getValue());
                return Stream.concat(Stream.of(named), named.below());
            });
        }

        @Override
        public String toString() {
            return String.join(" ", words);
        }
    }

    static Stream<Named> all() {
        return new Named(List.of(), Main.commandLine()).below();
    }

    @ParameterizedTest
    @MethodSource("all")
    void aCommandMadeAloneIsTheOneAmongAll(Named expected) {
        CommandLine command = Main.commandLine(expected.words.toArray(String[]::new));
        for (String word : expected.words) {
            Map<String, CommandLine> made = command.getSubcommands();
            command = made.get(word);
            // For another name of a command all are made.
            if (word.equals(command.getCommandName())) {
                assertThat(made.values()).containsOnly(command);
            }
        }
        assertThat(command.getUsageMessage()).isEqualTo(expected.command.getUsageMessage());
        assertThat(command.getCommandName()).isEqualTo(expected.command.getCommandName());
    }

    @Test
    void withoutAKnownNameAllAreMade() {
        assertThat(Main.commandLine("--help").getSubcommands()).containsKeys("devices", "nvme", "emulate", "trace");
        assertThat(Main.commandLine("nvme", "nonsense")
                        .getSubcommands()
                        .get("nvme")
                        .getSubcommands())
                .containsKeys("identify", "read", "passthru");
    }
}
