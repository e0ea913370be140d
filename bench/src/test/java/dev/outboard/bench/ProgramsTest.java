package dev.outboard.bench;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgramsTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    @Test
    void whatAProgramPrintedIsReturned() throws IOException {
        try (Programs programs = new Programs()) {
            assertThat(programs.run(List.of("/bin/sh", "-c", "echo heard; echo not heard >&2"), TIMEOUT))
                    .isEqualTo("heard\n");
        }
    }

    @Test
    void aProgramThatFailsFailsWithItsLastWords() throws IOException {
        try (Programs programs = new Programs()) {
            assertThatThrownBy(() ->
                            programs.run(List.of("/bin/sh", "-c", "echo first >&2; echo last >&2; exit 3"), TIMEOUT))
                    .isInstanceOf(IOException.class)
                    .hasMessage("last");
            assertThatThrownBy(() -> programs.run(List.of("/bin/sh", "-c", "exit 3"), TIMEOUT))
                    .isInstanceOf(IOException.class)
                    .hasMessage("sh ended with status 3");
        }
    }

    @Test
    void aProgramThatTakesTooLongIsEnded() throws IOException {
        try (Programs programs = new Programs()) {
            assertThatThrownBy(() -> programs.run(List.of("/bin/sleep", "600"), Duration.ofMillis(10)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("did not end");
        }
    }

    @Test
    void aProgramThatIsNotThereIsNoResult() throws IOException {
        try (Programs programs = new Programs()) {
            assertThatThrownBy(() -> programs.run(List.of("/nowhere/peer"), TIMEOUT))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void closingEndsProgramsAndLeavesNoFiles() throws Exception {
        Path directory;
        Process process;
        try (Programs programs = new Programs()) {
            directory = programs.newDirectory("target");
            process = programs.start(List.of("/bin/sleep", "600")).process();
            assertThat(process.isAlive()).isTrue();
        }
        assertThat(process.waitFor(TIMEOUT.toSeconds(), SECONDS)).isTrue();
        assertThat(directory.getParent()).doesNotExist();
    }

    @Test
    void aConversationIsALineForALine() throws IOException {
        try (Programs programs = new Programs();
                LineConversation echo = programs.converse(List.of("/bin/cat"))) {
            assertThat(echo.ask("read32")).isEqualTo("read32");
            assertThat(echo.ask("write32")).isEqualTo("write32");
        }
    }

    @Test
    void aConversationThatEndsSaysWhy() throws IOException {
        try (Programs programs = new Programs();
                LineConversation broken =
                        programs.converse(List.of("/bin/sh", "-c", "read line; echo no such case >&2"))) {
            assertThatThrownBy(() -> broken.ask("read33"))
                    .isInstanceOf(IOException.class)
                    .hasMessage("no such case");
        }
    }
}
