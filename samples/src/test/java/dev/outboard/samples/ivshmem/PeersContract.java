package dev.outboard.samples.ivshmem;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.ivshmem.IvshmemServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What holds for two devices that a server has introduced to each other, however each is reached. */
abstract class PeersContract extends SharedMemoryContract {
    static final int BYTES = 1 << 16;
    static final int VECTORS = 3;
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private IvshmemServer server;
    private SharedMemory peer;

    /** Opens the other device. */
    abstract SharedMemory openPeer() throws IOException;

    Path socket() {
        return directory.resolve("peers.sock");
    }

    @Override
    @BeforeEach
    void openDevice() throws IOException {
        server = IvshmemServer.start(socket(), BYTES, VECTORS);
        super.openDevice();
        peer = openPeer();
    }

    @Override
    @AfterEach
    void closeDevice() {
        super.closeDevice();
        if (peer != null) {
            peer.close();
        }
        server.close();
    }

    @Test
    void eachHasAnIdOfItsOwn() throws IOException {
        assertThat(device().id()).isNotEqualTo(peer.id());
        assertThat(device().vectors()).isEqualTo(VECTORS);
        assertThat(peer.vectors()).isEqualTo(VECTORS);
    }

    @Test
    void whatOneWritesTheOtherReads() {
        assertThat(peer.memory().sizeBytes()).isEqualTo(BYTES);
        device().memory().write64(128, 0x0123_4567_89ab_cdefL);
        assertThat(peer.memory().read64(128)).isEqualTo(0x0123_4567_89ab_cdefL);
        peer.memory().write32(BYTES - 4, 42);
        assertThat(device().memory().read32(BYTES - 4)).isEqualTo(42);
    }

    @Test
    void eachRingsTheOtherByTheVectorThatItNames() throws IOException {
        for (int vector = VECTORS - 1; vector >= 0; vector--) {
            ringUntilHeard(device(), peer, vector);
            ringUntilHeard(peer, device(), vector);
        }
        for (int vector = 0; vector < VECTORS; vector++) {
            assertThat(peer.await(vector, Duration.ZERO))
                    .as("vector %d", vector)
                    .isZero();
        }
    }

    /** The device ignores a ring until the server has introduced the peer, and cannot say so. */
    private static void ringUntilHeard(SharedMemory from, SharedMemory to, int vector) throws IOException {
        long start = System.nanoTime();
        long rung = 0;
        while (rung == 0 && System.nanoTime() - start < SOON.toNanos()) {
            from.ring(to.id(), vector);
            rung = to.await(vector, Duration.ofMillis(500));
        }
        assertThat(rung).as("vector %d", vector).isPositive();
    }

    @Test
    void ringingNobodyRingsNobody() throws IOException {
        device().ring(4711, 0);
        device().ring(peer.id(), VECTORS);
        ringUntilHeard(device(), peer, 1);
        assertThat(peer.await(0, Duration.ZERO)).isZero();
        assertThat(peer.await(2, Duration.ZERO)).isZero();
    }

    @Test
    void theyGoOnWithoutTheirServer() throws IOException {
        ringUntilHeard(device(), peer, 0);
        ringUntilHeard(peer, device(), 0);
        server.close();
        ringUntilHeard(device(), peer, 2);
        ringUntilHeard(peer, device(), 2);
    }
}
