package dev.outboard.emulation.ivshmem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixServerSocket;
import dev.outboard.linux.UnixSocket;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where the memory comes from. */
@Timeout(60)
class IvshmemModelTest {
    private static final int MANY_VECTORS = 64;

    @TempDir
    Path directory;

    @Test
    void theFirstOfPeersIsTheServerOfAll() throws IOException {
        Path socket = directory.resolve("peers.sock");
        IvshmemOptions options = IvshmemOptions.DEFAULT.withPeers(socket);
        try (IvshmemModel first = new IvshmemModel(options);
                IvshmemModel second = new IvshmemModel(options)) {
            assertThat(first.id()).isZero();
            assertThat(second.id()).isEqualTo(1);
            assertThat(socket).exists();
        }
        assertThat(socket).doesNotExist();
    }

    @Test
    void aSocketThatAServerLeftWhenItWasKilledIsTakenOver() throws IOException {
        Path socket = directory.resolve("peers.sock");
        UnixServerSocket killed = UnixServerSocket.listen(socket);
        Path left = Files.createLink(directory.resolve("left.sock"), socket);
        killed.close();
        try (IvshmemModel first = new IvshmemModel(IvshmemOptions.DEFAULT.withPeers(left));
                IvshmemModel second = new IvshmemModel(IvshmemOptions.DEFAULT.withPeers(left))) {
            assertThat(first.id()).isZero();
            assertThat(second.id()).isEqualTo(1);
        }
    }

    @Test
    void aFileThatIsNoSocketIsRefused() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> new IvshmemModel(IvshmemOptions.DEFAULT.withPeers(file)))
                .isInstanceOf(LinuxException.class)
                .hasMessageContaining("EADDRINUSE")
                .hasMessageContaining("what is there is no socket");
        assertThat(file).exists();
    }

    @Test
    void onePeerThatDoesNotReadIsDroppedAndKeepsNobodyElseOut() throws IOException {
        Path socket = directory.resolve("peers.sock");
        try (IvshmemServer server = IvshmemServer.start(socket, IvshmemOptions.DEFAULT.sizeBytes(), MANY_VECTORS);
                UnixSocket silent = UnixSocket.connect(server.path().toString())) {
            // More than its socket holds, and more than waits for it.
            for (int i = 0; i < 32; i++) {
                Peers.of(socket, MANY_VECTORS).close();
            }
            assertThat(endOf(silent)).isTrue();
        }
    }

    private static boolean endOf(UnixSocket socket) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Long.BYTES);
            UnixSocket.Received received;
            do {
                received = socket.receive(buffer);
                received.descriptors().forEach(Fd::close);
            } while (received.bytes() > 0);
            return true;
        }
    }

    @Test
    void aFileThatIsTooSmallIsRefusedAndAnEmptyOneGrows() throws IOException {
        Path file = Files.write(directory.resolve("memory"), new byte[4096]);
        assertThatThrownBy(() -> new IvshmemModel(new IvshmemOptions(8192, 0, file, null)))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("has 4096 bytes, and 8192 shall be shared");
        Path empty = directory.resolve("empty");
        new IvshmemModel(new IvshmemOptions(8192, 0, empty, null)).close();
        assertThat(empty).hasSize(8192);
    }

    @ParameterizedTest
    @CsvSource({"4095, 1", "5000, 1", "2048, 0", "4096, 257", "4096, -1"})
    void sizesAndVectorsThatCannotBeAreRefused(long size, int vectors) {
        assertThatThrownBy(() -> new IvshmemOptions(size, vectors, null, null))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void memoryComesFromOnePlace() {
        assertThatThrownBy(() -> new IvshmemOptions(4096, 1, directory, directory))
                .hasMessageContaining("peers");
        assertThatThrownBy(() -> new IvshmemOptions(4096, 0, null, directory)).hasMessageContaining("no peers");
    }
}
