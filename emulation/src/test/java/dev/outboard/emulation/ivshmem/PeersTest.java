package dev.outboard.emulation.ivshmem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.UnixServerSocket;
import dev.outboard.linux.UnixSocket;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Servers that are wrong, and peers that come and go. */
@Timeout(60)
class PeersTest {
    @TempDir
    Path directory;

    private UnixServerSocket listener;

    /** What a server of this test does with its one client. */
    private interface Script {
        void play(UnixSocket client) throws IOException;
    }

    @BeforeEach
    void listen() throws IOException {
        listener = UnixServerSocket.listen(directory.resolve("peers.sock"));
    }

    @AfterEach
    void stop() {
        listener.close();
    }

    private Peers join(Script script) throws IOException {
        Thread.ofPlatform().daemon().start(() -> {
            try {
                script.play(listener.accept());
            } catch (IOException e) {
                // Then the client is left alone, and says so.
            }
        });
        return Peers.of(listener.path(), 2);
    }

    private static void send(UnixSocket client, long number, Fd... descriptors) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            client.send(arena.allocateFrom(ValueLayout.JAVA_LONG, number), List.of(descriptors));
        }
    }

    @Test
    void aServerOfAnotherVersionIsRefused() {
        assertThatThrownBy(() -> join(client -> send(client, 1)))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("no ivshmem server of version 0");
    }

    @Test
    void aServerThatHangsUpIsRefused() {
        assertThatThrownBy(() -> join(UnixSocket::close)).hasMessageContaining("hung up");
        assertThatThrownBy(() -> join(client -> {
                    send(client, 0);
                    send(client, 3);
                    client.close();
                }))
                .hasMessageContaining("hung up");
    }

    @Test
    void anIdThatCannotBeIsRefused() {
        assertThatThrownBy(() -> join(client -> {
                    send(client, 0);
                    send(client, 0x10000);
                }))
                .isInstanceOf(DeviceException.class);
    }

    @Test
    void memoryThatIsNoBarIsRefused() {
        assertThatThrownBy(() -> {
                    Thread.ofPlatform().daemon().start(() -> {
                        try (Fd memory = Fd.memfd("test", 5000)) {
                            UnixSocket client = listener.accept();
                            send(client, 0);
                            send(client, 0);
                            send(client, -1, memory);
                        } catch (IOException e) {
                            // Then the client is left alone, and says so.
                        }
                    });
                    new IvshmemModel(IvshmemOptions.DEFAULT.withPeers(listener.path()));
                })
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("5000");
    }

    @Test
    void peersAreRungByWhatTheServerGaveAndForgottenWhenTheyGo() throws IOException {
        try (EventFd first = EventFd.create();
                EventFd second = EventFd.create();
                EventFd third = EventFd.create();
                Peers peers = join(client -> {
                    send(client, 0);
                    send(client, 7);
                    // Before the memory: the client takes them in any order.
                    send(client, 9, first.fd());
                    send(client, 9, second.fd());
                    // More than the client has vectors.
                    send(client, 9, third.fd());
                    try (Fd memory = Fd.memfd("test", 4096)) {
                        send(client, -1, memory);
                    }
                })) {
            assertThat(peers.id()).isEqualTo(7);
            peers.ring(9, 1);
            peers.ring(9, 2);
            peers.ring(8, 0);
            assertThat(first.read()).isZero();
            assertThat(second.read()).isEqualTo(1);
            assertThat(third.read()).isZero();
        }
    }

    @Test
    void whoRingsHereIsHeardAndAServerThatLiesIsLeft() throws IOException {
        List<UnixSocket> sockets = new ArrayList<>();
        try (EventFd own = EventFd.create();
                Peers peers = join(client -> {
                    sockets.add(client);
                    send(client, 0);
                    send(client, 7);
                    send(client, 7, own.fd());
                    try (Fd memory = Fd.memfd("test", 4096)) {
                        send(client, -1, memory);
                    }
                })) {
            List<Integer> rung = new ArrayList<>();
            own.signal();
            assertThat(peers.hear(rung::add)).isEqualTo(1);
            assertThat(rung).containsExactly(0);
            assertThat(peers.hear(rung::add)).isZero();
            // A descriptor without a peer's id, and after it the end.
            try (Fd stray = Fd.memfd("stray", 4096)) {
                send(sockets.getFirst(), -5, stray);
            }
            assertThat(peers.hear(rung::add)).isEqualTo(1);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment end = arena.allocate(8);
                assertThat(sockets.getFirst().receive(end).bytes()).isZero();
            }
            own.signal();
            assertThat(peers.hear(rung::add)).isEqualTo(1);
            assertThat(rung).containsExactly(0, 0);
        }
    }
}
