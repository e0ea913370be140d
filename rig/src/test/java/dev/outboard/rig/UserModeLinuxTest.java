package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("rig")
class UserModeLinuxTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    private Path results;

    @BeforeAll
    static void needs() {
        Needs.program(HostProgram.USER_MODE_LINUX);
    }

    @Test
    void aCommandRunsInAnotherKernelAndItsOutputAndStatusReachTheHost() throws IOException {
        GuestResult result = UserModeLinux.standard()
                .run(
                        GuestCommand.script("uname -r; load virtio_blk; grep ^virtio_blk /proc/modules >&2; exit 3"),
                        LIMIT);
        assertThat(result.status()).isEqualTo(3);
        assertThat(result.out().strip()).isNotEqualTo(System.getProperty("os.version"));
        assertThat(result.err()).startsWith("virtio_blk ");
    }

    @Test
    void filesOfASharedFolderAreTheHostsAndAllOthersCannotBeWritten() throws IOException {
        Path lost = results.resolveSibling("lost-" + results.getFileName());
        GuestResult result = UserModeLinux.standard()
                .share(results)
                .run(
                        GuestCommand.of(
                                "sh", "-c", "echo kept >$0/report; echo lost >$1", results.toString(), lost.toString()),
                        LIMIT);
        assertThat(result.status()).isNotZero();
        assertThat(results.resolve("report")).hasContent("kept");
        assertThat(lost).doesNotExist();
    }

    @Test
    void aKernelThatMissesItsDeadlineEnds() throws IOException {
        UserModeLinux machine = UserModeLinux.standard();
        assertThatThrownBy(() -> machine.run(GuestCommand.of("sleep", "1000"), Duration.ofSeconds(3)))
                .isInstanceOf(GuestTimeoutException.class);
    }
}
