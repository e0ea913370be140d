package dev.outboard.samples.ivshmem;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.ivshmem.IvshmemModel;
import dev.outboard.emulation.ivshmem.IvshmemOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model without a doorbell, on a thread of this process, whose memory is a file. */
class PlainOnModelTest extends SharedMemoryContract {
    private static final int BYTES = 1 << 16;

    @TempDir
    static Path directory;

    private static IvshmemModel model;
    private static VfioUserServer server;

    @BeforeAll
    static void serve() throws IOException {
        model = new IvshmemModel(new IvshmemOptions(BYTES, 0, directory.resolve("memory"), null));
        server = VfioUserServer.start(model, directory.resolve("ivshmem.sock"));
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    @Override
    SharedMemory open() throws IOException {
        return SharedMemory.open("vfio-user:" + server.path());
    }

    @Test
    void itHasNoDoorbell() throws IOException {
        assertThat(device().vectors()).isZero();
        assertThat(device().id()).isZero();
        device().ring(0, 0);
    }

    @Test
    void theMemoryIsMappedAndIsTheFile() throws IOException {
        assertThat(device().memory().isMapped()).isTrue();
        assertThat(device().memory().sizeBytes()).isEqualTo(BYTES);
        device().memory().write8(BYTES - 1, (byte) 0x5a);
        byte[] file = Files.readAllBytes(directory.resolve("memory"));
        assertThat(file).hasSize(BYTES);
        assertThat(file[BYTES - 1]).isEqualTo((byte) 0x5a);
    }
}
