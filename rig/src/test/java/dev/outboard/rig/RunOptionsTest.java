package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunOptionsTest {
    @Test
    void whatFollowsTheDashesIsTheCommandEvenWhenItLooksLikeOptions() {
        RunOptions options = RunOptions.parse(List.of("--timeout", "7", "--", "ls", "--", "--timeout"));
        assertThat(options.limit()).isEqualTo(Duration.ofSeconds(7));
        assertThat(options.command().arguments()).containsExactly("ls", "--", "--timeout");
    }

    @Test
    void theCommandIsToldTheFirstResultsFolder() {
        RunOptions options = RunOptions.parse(List.of("--results", "/a/b", "--results", "/c", "--", "true"));
        assertThat(options.results()).containsExactly(Path.of("/a/b"), Path.of("/c"));
        assertThat(options.command().environment()).containsEntry("OUTBOARD_RESULTS", "/a/b");
    }

    @Test
    void wrongUsageIsRefused() {
        for (List<String> wrong : List.of(
                List.<String>of(),
                List.of("--timeout", "7"),
                List.of("--"),
                List.of("--nosuch", "x", "--", "true"),
                List.of("--timeout", "soon", "--", "true"),
                List.of("--timeout", "-1", "--", "true"),
                List.of("--env", "A", "--", "true"),
                List.of("--env", "A-B=1", "--", "true"),
                List.of("--trace", "--", "true").subList(0, 1))) {
            assertThatThrownBy(() -> RunOptions.parse(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aShellGivesTheCommandItsArgumentsUnchanged() throws IOException, InterruptedException {
        String awkward = "it's $HOME `id` \"x\" \\ * \n end";
        String script = GuestCommand.of("printf", "%s|%s", awkward, "")
                .in(Path.of("/"))
                .with("A", awkward)
                .toScript();
        Process shell = new ProcessBuilder("/bin/sh", "-c", script).start();
        String printed = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(shell.waitFor()).isZero();
        assertThat(printed).isEqualTo(awkward + "|");
    }
}
