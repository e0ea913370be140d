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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
    void ofManyThatReplaceOneStaleFileOneListensAndStays() throws Exception {
        int servers = 6;
        for (int round = 0; round < 100; round++) {
            try (var abandoned = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                abandoned.bind(UnixDomainSocketAddress.of(path()));
            }
            CyclicBarrier start = new CyclicBarrier(servers);
            List<UnixServerSocket> listening = new CopyOnWriteArrayList<>();
            try (ExecutorService executor = Executors.newFixedThreadPool(servers)) {
                List<Future<?>> running = new ArrayList<>();
                for (int server = 0; server < servers; server++) {
                    running.add(executor.submit(() -> {
                        start.await();
                        try {
                            listening.add(UnixServerSocket.listen(path()));
                        } catch (LinuxException refused) {
                            assertThat(refused.errno()).isEqualTo(Errno.EADDRINUSE);
                        }
                        return null;
                    }));
                }
                for (Future<?> future : running) {
                    future.get();
                }
            }
            assertThat(listening).as("servers of round " + round).hasSize(1);
            try (UnixServerSocket winner = listening.getFirst()) {
                UnixSocket.connect(path().toString()).close();
                assertThat(winner.fd().isOpen()).isTrue();
            }
        }
    }

    @Test
    void closingLeavesTheFileOfAnotherServerThatCameSince() throws IOException {
        UnixServerSocket first = UnixServerSocket.listen(path());
        Files.delete(path());
        try (UnixServerSocket second = UnixServerSocket.listen(path())) {
            first.close();
            UnixSocket.connect(path().toString()).close();
            assertThat(second.path()).exists();
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
