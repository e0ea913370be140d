package dev.outboard.emulation.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.emulation.TestClient;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.linux.Fd;
import dev.outboard.memory.DmaMemory;
import dev.outboard.pci.Pci;
import dev.outboard.specs.vfiouser.VfioUser;
import dev.outboard.specs.virtio.VirtioBlk;
import dev.outboard.virtio.DriverQueue;
import dev.outboard.virtio.block.BlockQueue;
import dev.outboard.virtio.block.VirtioBlock;
import dev.outboard.virtio.pci.VirtioFunction;
import dev.outboard.virtio.pci.VirtioQueue;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
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

    /** The driver's publish says when the device, which polled until then, wants to be notified. */
    @Test
    void anEventfdNotifiesAsTheRegisterDoes() throws IOException {
        String address = serve(VirtioBlockOptions.DEFAULT.withSizeBytes(1 << 20), 0);
        try (VirtioFunction function = VirtioFunction.open(Pci.open(address), DriverQueue.FEATURES)) {
            VirtioQueue queue = function.createQueue(0, 16, 2);
            function.start();
            DmaMemory memory = function.function().dma().allocate(64);
            memory.segment().set(ValueLayout.JAVA_INT, 0, VirtioBlk.TYPE_GET_ID);
            boolean notified = false;
            long deadline = System.nanoTime() + SOON.toNanos();
            while (!notified) {
                queue.ring().readable(memory.deviceAddress(), VirtioBlk.HEADER_BYTES);
                queue.ring().writable(memory.deviceAddress() + 32, VirtioBlk.ID_BYTES + VirtioBlk.STATUS_BYTES);
                queue.ring().add();
                notified = queue.ring().publish();
                if (notified) {
                    model.ioEvents().event().signal();
                }
                while (queue.ring().poll() == DriverQueue.NONE) {
                    assertThat(System.nanoTime()).isLessThan(deadline);
                    Thread.onSpinWait();
                }
                for (int i = 0; i < 100_000 && !notified; i++) {
                    Thread.onSpinWait();
                }
            }
        }
    }

    @Test
    void aClientGetsTheEventfdOfAllNotifyRegisters() throws IOException {
        serve(VirtioBlockOptions.DEFAULT.withSizeBytes(1 << 20), 0);
        try (TestClient client = TestClient.negotiated(server.path())) {
            var tooSmall = client.call(
                    VfioUser.DEVICE_GET_REGION_IO_FDS,
                    TestClient.buffer(16).putInt(16).putInt(0).putInt(0));
            assertThat(tooSmall.payload().getInt(0)).as("argsz").isEqualTo(56);
            assertThat(tooSmall.payload().getInt(12)).as("count").isOne();
            assertThat(tooSmall.descriptors()).isEmpty();
            var reply = client.call(
                    VfioUser.DEVICE_GET_REGION_IO_FDS,
                    TestClient.buffer(16).putInt(56).putInt(0).putInt(0));
            assertThat(reply.payload().remaining()).isEqualTo(56);
            assertThat(reply.payload().getLong(16)).as("offset").isEqualTo(0x3000);
            assertThat(reply.payload().getLong(24)).as("size").isEqualTo(4L * VirtioBlockOptions.DEFAULT.queues());
            assertThat(reply.payload().getInt(32)).as("fd_index").isZero();
            reply.descriptors().forEach(Fd::close);
            assertThat(reply.descriptors()).hasSize(1);
        }
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
