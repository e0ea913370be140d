package dev.outboard.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnixServerSocketTest {
    @TempDir
    Path directory;

    private Path path() {
        return directory.resolve("socket");
    }

    @Test
    void aClientConnectsAndIsHeard() throws IOException {
        try (UnixServerSocket server = UnixServerSocket.listen(path());
                Arena arena = Arena.ofConfined()) {
            assertThat(Poll.readable(server.fd(), Duration.ZERO)).isFalse();
            try (UnixSocket client = UnixSocket.connect(path().toString())) {
                assertThat(Poll.readable(server.fd(), Duration.ofSeconds(1))).isTrue();
                try (UnixSocket accepted = server.accept()) {
                    client.send(arena.allocateFrom(JAVA_BYTE, (byte) 7), List.of());
                    var buffer = arena.allocate(2);
                    assertThat(accepted.receive(buffer).bytes()).isEqualTo(1);
                    assertThat(buffer.get(JAVA_BYTE, 0)).isEqualTo((byte) 7);
                }
            }
        }
    }

    @Test
    void closingRemovesTheFileAndTwiceIsHarmless() throws IOException {
        UnixServerSocket server = UnixServerSocket.listen(path());
        assertThat(path()).exists();
        server.close();
        assertThat(path()).doesNotExist();
        try (UnixServerSocket next = UnixServerSocket.listen(path())) {
            server.close();
            assertThat(next.path()).exists();
        }
    }

    @Test
    void aSocketFileThatNobodyListensOnIsReplaced() throws IOException {
        try (var abandoned = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            abandoned.bind(UnixDomainSocketAddress.of(path()));
        }
        assertThat(path()).exists();
        try (UnixServerSocket server = UnixServerSocket.listen(path());
                UnixSocket client = UnixSocket.connect(path().toString());
                UnixSocket accepted = server.accept()) {
            assertThat(client.fd().isOpen() && accepted.fd().isOpen()).isTrue();
        }
    }

    @Test
    void aSocketThatSomebodyListensOnIsRefusedAndStays() throws IOException {
        try (UnixServerSocket server = UnixServerSocket.listen(path())) {
            assertInUse();
            try (UnixSocket probe = server.accept();
                    UnixSocket client = UnixSocket.connect(path().toString())) {
                assertThat(probe.fd().isOpen() && client.fd().isOpen()).isTrue();
            }
        }
    }

    @Test
    void aFileThatIsNoSocketIsRefusedAndStays() throws IOException {
        Files.writeString(path(), "precious");
        assertInUse();
        assertThat(path()).hasContent("precious");
    }

    private void assertInUse() {
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> UnixServerSocket.listen(path()))
                .withMessageContaining("choose another path")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EADDRINUSE));
    }

    @Test
    void aPathThatDoesNotFitIsRefusedWithItsLimit() throws IOException {
        Path longest = directory.resolve("x".repeat(107 - directory.toString().length() - 1));
        try (UnixServerSocket server = UnixServerSocket.listen(longest)) {
            UnixSocket.connect(server.path().toString()).close();
        }
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> UnixServerSocket.listen(Path.of(longest + "y")))
                .withMessageContaining("at most 107 bytes")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENAMETOOLONG));
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> UnixSocket.connect(longest + "y"))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENAMETOOLONG));
    }

    @Test
    void connectingToNothingSaysWhatIsMissing() throws IOException {
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> UnixSocket.connect(path().toString()))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
        try (var abandoned = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            abandoned.bind(UnixDomainSocketAddress.of(path()));
        }
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> UnixSocket.connect(path().toString()))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ECONNREFUSED));
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> UnixSocket.connect(""))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    }
}
