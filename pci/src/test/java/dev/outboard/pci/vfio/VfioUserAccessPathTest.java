package dev.outboard.pci.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceBusyException;
import dev.outboard.linux.UnixServerSocket;
import dev.outboard.memory.ClaimTarget;
import dev.outboard.memory.Claims;
import dev.outboard.pci.AccessPath;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class VfioUserAccessPathTest {
    @TempDir
    private Path folder;

    @Test
    void theAccessPathsAreFound() {
        assertThat(ServiceLoader.load(AccessPath.class))
                .extracting(AccessPath::name)
                .contains("pci", "vfio", "vfio-user");
    }

    @Test
    void aSocketThatIsNotThereIsExplained() {
        assertThatThrownBy(() -> Pci.open("vfio-user:" + folder.resolve("none")))
                .hasMessageContaining(folder.resolve("none").toString())
                .hasMessageContaining("ENOENT")
                .hasMessageContaining("outboard emulate");
    }

    @Test
    void aSocketThatNobodyListensOnIsExplained() throws IOException {
        Path socket = folder.resolve("s");
        UnixServerSocket listening = UnixServerSocket.listen(socket);
        // As a process leaves it behind that is killed.
        listening.fd().close();
        assertThatThrownBy(() -> Pci.open("vfio-user:" + socket))
                .hasMessageContaining("ECONNREFUSED")
                .hasMessageContaining("nobody listens there");
    }

    @Test
    void aFileThatIsNoSocketIsExplained() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> Pci.open("vfio-user:" + file)).hasMessageContaining(file + " is no socket");
    }

    @Test
    void aPathThatIsTooLongIsExplained() {
        assertThatThrownBy(() -> Pci.open("vfio-user:/" + "x".repeat(200))).hasMessageContaining("107 bytes");
    }

    @Test
    void aServerIsReachedByItsPath() throws Exception {
        Path socket = folder.resolve("s");
        try (UnixServerSocket listening = UnixServerSocket.listen(socket)) {
            var server = CompletableFuture.supplyAsync(() -> {
                try {
                    return new ScriptedServer(listening.accept()).start();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            try (PciFunction function = Pci.open("vfio-user:" + socket)) {
                assertThat(function.address()).isEqualTo(new DeviceAddress("vfio-user", socket.toString()));
                assertThat(function.configuration().read32(0)).isEqualTo(0x0010_1b36);
                Path link = Files.createSymbolicLink(folder.resolve("link"), socket);
                assertThatThrownBy(() -> Pci.open("vfio-user:" + link))
                        .isInstanceOf(DeviceBusyException.class)
                        .hasMessageContaining("vfio-user:" + socket.toRealPath() + " is in use by ")
                        .hasMessageContaining(
                                "(process " + ProcessHandle.current().pid() + " of ");
            }
            server.get().close();
            assertThat(Claims.system().holder(ClaimTarget.whole("vfio-user:" + socket.toRealPath())))
                    .isEmpty();
        }
    }
}
