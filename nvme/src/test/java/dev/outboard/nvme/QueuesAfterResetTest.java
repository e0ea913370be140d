package dev.outboard.nvme;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Queue pairs on which nothing was on its way when their controller was reset, and closed ones. */
class QueuesAfterResetTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final int QUEUES = 4;

    @RegisterExtension
    static final ServedModel MODEL = new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(16 << 20));

    private NvmeController controller;
    private DmaMemory buffer;

    @BeforeEach
    void open() throws IOException {
        controller = Nvme.open(MODEL.address(), NvmeSettings.DEFAULT.withQueuePairs(QUEUES));
        buffer = controller.dma().allocate(4096);
    }

    @AfterEach
    void close() {
        controller.close();
    }

    private void read(QueuePair queue) throws IOException {
        queue.read(controller.namespace(1), 0, buffer).await(LONG);
    }

    @ParameterizedTest
    @EnumSource
    void theFirstCommandAfterAResetSucceeds(Waiting waiting) throws IOException {
        try (QueuePair queue = controller.createQueuePair(8, waiting)) {
            controller.reset();
            read(queue);
            controller.reset();
            assertThat(queue.poll()).isZero();
            read(queue);
        }
    }

    @Test
    void theFirstRequestOfABlockDeviceAndOfFuturesAfterAResetSucceeds() throws Exception {
        NvmeNamespace namespace = controller.namespace(1);
        try (NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.POLL);
                NvmeFutures futures = new NvmeFutures(controller, namespace, 8, Waiting.INTERRUPT)) {
            controller.reset();
            disk.read(0, buffer);
            futures.read(0, buffer).get(LONG.toSeconds(), SECONDS);
        }
    }

    @Test
    void aClosedQueuePairSaysSoAndTouchesNothing() throws IOException {
        QueuePair closed = controller.createQueuePair(60);
        closed.close();
        List<DmaMemory> others = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            DmaMemory other = controller.dma().allocate(4096);
            other.segment().fill((byte) 0x5a);
            others.add(other);
        }
        assertClosed(closed);
        controller.reset();
        assertClosed(closed);
        for (DmaMemory other : others) {
            assertThat(other.segment().toArray(ValueLayout.JAVA_BYTE)).containsOnly(0x5a);
        }
        try (QueuePair queue = controller.createQueuePair(8)) {
            read(queue);
        }
    }

    private void assertClosed(QueuePair closed) {
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(closed::poll)
                .withMessageContaining("is closed");
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> closed.await(LONG))
                .withMessageContaining("is closed");
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> read(closed))
                .withMessageContaining("is closed");
    }

    @Test
    void queuePairsThatAreClosedAfterAResetLeaveTheirPlaces() throws IOException {
        for (int round = 0; round < 3; round++) {
            List<QueuePair> queues = new ArrayList<>();
            for (int i = 0; i < QUEUES; i++) {
                queues.add(controller.createQueuePair(4));
            }
            controller.reset();
            queues.forEach(QueuePair::close);
        }
    }

    @Test
    void aFusedPairWhoseSecondCommandCannotBeLeavesNothingInTheQueue() throws IOException {
        NvmeNamespace namespace = controller.namespace(1);
        try (QueuePair queue = controller.createQueuePair(8);
                DmaMemory block = controller.dma().allocate(512)) {
            NvmeCommand compare = NvmeCommand.compare(namespace, 0, 1).data(block);
            NvmeCommand withoutData = NvmeCommand.write(namespace, 0, 1);
            assertThatExceptionOfType(IllegalArgumentException.class)
                    .isThrownBy(() -> queue.submitFused(compare, withoutData));
            assertThat(queue.room()).isEqualTo(8);
            read(queue);
        }
    }

    @Test
    void aWaitMayBeAsLongAsADurationCanSay() throws IOException {
        Duration forever = Duration.ofSeconds(Long.MAX_VALUE);
        try (QueuePair queue = controller.createQueuePair(8, Waiting.INTERRUPT)) {
            queue.read(controller.namespace(1), 0, buffer).await(forever);
            queue.read(controller.namespace(1), 0, 8, buffer, 0, request -> {}, 0);
            assertThat(queue.await(forever)).isEqualTo(1);
        }
    }
}
