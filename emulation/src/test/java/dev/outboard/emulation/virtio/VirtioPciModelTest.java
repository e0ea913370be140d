package dev.outboard.emulation.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.memory.DmaMemory;
import dev.outboard.pci.Pci;
import dev.outboard.specs.virtio.VirtioBlk;
import dev.outboard.virtio.DriverQueue;
import dev.outboard.virtio.block.BlockQueue;
import dev.outboard.virtio.block.VirtioBlock;
import dev.outboard.virtio.pci.VirtioFunction;
import dev.outboard.virtio.pci.VirtioQueue;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A virtio device behind PCI, where drivers go wrong. */
class VirtioPciModelTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final long NOWHERE = 0xdead_0000L;

    @TempDir
    Path directory;

    private VirtioPciModel model;
    private VfioUserServer server;

    private String serve(VirtioBlockOptions options, long withheld) throws IOException {
        model = new VirtioPciModel(new VirtioBlockModel(options), withheld);
        server = VfioUserServer.start(model, directory.resolve("disk"));
        return "vfio-user:" + server.path();
    }

    @AfterEach
    void stop() {
        server.close();
        model.close();
    }

    @Test
    void aDriverWhoseRequestsAreNowhereHasToResetTheDevice() throws IOException {
        String address = serve(VirtioBlockOptions.DEFAULT.withSizeBytes(1 << 20), 0);
        try (VirtioFunction function = VirtioFunction.open(Pci.open(address), DriverQueue.FEATURES)) {
            VirtioQueue queue = function.createQueue(0, 16, 2);
            function.start();
            queue.ring().readable(NOWHERE, VirtioBlk.HEADER_BYTES);
            queue.ring().writable(NOWHERE, 513);
            queue.ring().add();
            queue.publish();
            assertThatThrownBy(() -> {
                        long deadline = System.nanoTime() + SOON.toNanos();
                        while (System.nanoTime() - deadline < 0) {
                            function.checkUsable();
                        }
                    })
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("has met an error");
            assertThat(queue.ring().poll()).isEqualTo(DriverQueue.NONE);
        }
        try (VirtioBlock disk = VirtioBlock.open(address);
                BlockQueue queue = disk.createQueue(1)) {
            queue.flush().await(SOON);
        }
    }

    @Test
    void aDiskThatIsReadOnlySaysSoAndIsNotWritten() throws IOException {
        VirtioBlockOptions standard = VirtioBlockOptions.DEFAULT;
        String address =
                serve(new VirtioBlockOptions(1 << 20, 4096, standard.serial(), 1, standard.queueSize(), true, null), 0);
        try (VirtioBlock disk = VirtioBlock.open(address);
                BlockQueue queue = disk.createQueue(1);
                DmaMemory buffer = disk.dma().allocate(4096)) {
            assertThat(disk.isReadOnly()).isTrue();
            assertThat(disk.blockSizeBytes()).isEqualTo(4096);
            assertThat(disk.blockCount()).isEqualTo(256);
            assertThat(disk.maximumQueues()).isEqualTo(1);
            queue.read(255, buffer).await(SOON);
            assertThatThrownBy(() -> queue.write(0, buffer)).hasMessageContaining("read-only");
            assertThatThrownBy(() -> queue.discard(0, 1)).isInstanceOf(UnsupportedOperationException.class);
        }
    }

    @Test
    void featuresThatAreWithheldAreNotOffered() throws IOException {
        String address = serve(VirtioBlockOptions.DEFAULT.withSizeBytes(1 << 20), DriverQueue.FEATURES);
        try (VirtioBlock disk = VirtioBlock.open(address)) {
            assertThat(disk.features() & DriverQueue.FEATURES).isZero();
        }
    }
}
