package dev.outboard.emulation.ivshmem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
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
    void aSocketThatNobodyListensOnIsAnError() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> new IvshmemModel(IvshmemOptions.DEFAULT.withPeers(file)))
                .isInstanceOf(LinuxException.class)
                .hasMessageContaining("ECONNREFUSED");
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
