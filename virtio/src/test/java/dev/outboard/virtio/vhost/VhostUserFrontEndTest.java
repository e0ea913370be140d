package dev.outboard.virtio.vhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.LinuxException;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Register;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.virtio.DriverQueue;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our front end at our back end. */
class VhostUserFrontEndTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int SIZE = 16;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(longs = {0, VirtioFeature.RING_PACKED, DriverQueue.FEATURES})
    void requestsAreServedByInterruptInEveryLayout(long withheld) throws IOException {
        try (EchoDevice device = new EchoDevice();
                VhostUserBackend backend = VhostUserBackend.start(device, directory.resolve("s"));
                VhostUserFrontEnd frontEnd = VhostUserFrontEnd.connect(
                        backend.path(), EchoDevice.FEATURE | (DriverQueue.FEATURES & ~withheld))) {
            assertThat(frontEnd.features())
                    .isEqualTo(VirtioFeature.VERSION_1 | EchoDevice.FEATURE | (DriverQueue.FEATURES & ~withheld));
            FrontEndQueue queue = frontEnd.createQueue(2, SIZE, 2);
            frontEnd.start();
            try (DmaMemory memory = frontEnd.dma().allocate(4096)) {
                for (int i = 0; i < 5 * SIZE; i++) {
                    echo(queue, memory, "request " + i);
                }
            }
        }
    }

    private static void echo(FrontEndQueue queue, DmaMemory memory, String text) throws IOException {
        memory.segment().setString(0, text);
        queue.ring().readable(memory.deviceAddress(), 64);
        queue.ring().writable(memory.deviceAddress() + 64, 64);
        int id = queue.ring().add();
        queue.publish();
        int used = queue.ring().poll();
        while (used == DriverQueue.NONE) {
            queue.await(TIMEOUT);
            used = queue.ring().poll();
        }
        assertThat(used).isEqualTo(id);
        assertThat(queue.ring().usedBytes()).isEqualTo(64);
        assertThat(memory.segment().getString(64)).isEqualTo(text);
    }

    @Test
    void configurationIsRead() throws IOException {
        try (EchoDevice device = new EchoDevice();
                VhostUserBackend backend = VhostUserBackend.listen(directory.resolve("s"), device)) {
            device.writeConfiguration(0, Long.BYTES, 0x0807_0605_0403_0201L);
            backend.start();
            try (VhostUserFrontEnd frontEnd = VhostUserFrontEnd.connect(backend.path(), 0)) {
                assertThat(frontEnd.read(Register.of("field", 2, 32, Register.Access.READ_ONLY, "none")))
                        .isEqualTo(0x0605_0403L);
            }
        }
    }

    @Test
    void aBackEndThatGoesIsNoticed() throws IOException {
        EchoDevice device = new EchoDevice();
        VhostUserBackend backend = VhostUserBackend.start(device, directory.resolve("s"));
        try (device;
                VhostUserFrontEnd frontEnd = VhostUserFrontEnd.connect(backend.path(), 0)) {
            FrontEndQueue queue = frontEnd.createQueue(0, SIZE, 1);
            frontEnd.start();
            frontEnd.checkPresent();
            backend.close();
            assertThatThrownBy(frontEnd::checkPresent).isInstanceOf(DeviceGoneException.class);
            assertThatThrownBy(() -> queue.await(Duration.ofMillis(1))).isInstanceOf(DeviceGoneException.class);
            assertThatThrownBy(() -> frontEnd.createQueue(1, SIZE, 1)).isInstanceOf(DeviceGoneException.class);
        }
    }

    @Test
    void whereNobodyListensIsNoDevice() {
        assertThatThrownBy(() -> VhostUserFrontEnd.connect(directory.resolve("none"), 0))
                .isInstanceOf(LinuxException.class);
    }
}
