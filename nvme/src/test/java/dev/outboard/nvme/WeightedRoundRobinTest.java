package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Queue pairs with priorities. */
class WeightedRoundRobinTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Features.Arbitration WEIGHTS = new Features.Arbitration(2, 1, 8, 32);
    private static final NvmeSettings SETTINGS = NvmeSettings.DEFAULT.withWeightedRoundRobin(WEIGHTS);

    @Test
    void theControllerIsToldOfWeightsAndPriorities() throws IOException {
        FakeController fake = new FakeController();
        fake.capabilities |= NvmeRegisters.CAP_AMS.of(NvmeRegisters.AMS_WEIGHTED);
        try (NvmeController controller = Nvme.open(fake, SETTINGS)) {
            assertThat(NvmeRegisters.CC_AMS.nameOf(NvmeRegisters.CC_AMS.get(fake.written(NvmeRegisters.CC))))
                    .contains("WEIGHTED_ROUND_ROBIN");
            int weights = fake.settings.getLast();
            assertThat(Feature.ARBITRATION_BURST.get(weights)).isEqualTo(2);
            assertThat(Feature.LOW_WEIGHT.get(weights)).isZero();
            assertThat(Feature.MEDIUM_WEIGHT.get(weights)).isEqualTo(7);
            assertThat(Feature.HIGH_WEIGHT.get(weights)).isEqualTo(31);
            fake.settings.clear();
            controller.createQueuePair(4, Waiting.POLL, QueuePriority.URGENT);
            controller.createQueuePair(4, Waiting.POLL, QueuePriority.LOW);
            controller.createQueuePair(4);
            assertThat(fake.settings)
                    .extracting(SubmissionEntry.QUEUE_PRIORITY::get)
                    .containsExactly(0L, 3L, 2L);
            fake.settings.clear();
            controller.reset();
            assertThat(fake.settings).contains(weights);
        }
    }

    @Test
    void aControllerWithoutIsRefused() {
        FakeController fake = new FakeController();
        assertThatThrownBy(() -> Nvme.open(fake, SETTINGS))
                .isInstanceOf(DeviceException.class)
                .hasMessage("fake:nvme has no weighted round robin (CAP.AMS); open it without");
        assertThat(fake.closed).isTrue();
    }

    @Test
    void queuesOfAllPrioritiesGetOn() throws IOException {
        try (ServedModel model = ServedModel.start(NvmeOptions.DEFAULT.withSizeBytes(8 << 20));
                NvmeController controller = Nvme.open(model.address(), SETTINGS);
                DmaMemory buffer = controller.dma().allocate(512)) {
            assertThat(controller.admin().features().arbitration()).isEqualTo(WEIGHTS);
            List<QueuePair> queues = new ArrayList<>();
            for (QueuePriority priority : QueuePriority.values()) {
                queues.add(controller.createQueuePair(16, Waiting.POLL, priority));
            }
            int[] done = new int[1];
            for (int round = 0; round < 100; round++) {
                for (QueuePair queue : queues) {
                    while (queue.room() > 0) {
                        queue.read(controller.namespace(1), round, 1, buffer, 0, request -> done[0]++, 0);
                    }
                    queue.submit();
                }
                for (QueuePair queue : queues) {
                    while (queue.room() < queue.depth()) {
                        assertThat(queue.await(SOON)).isPositive();
                    }
                }
            }
            assertThat(done[0]).isEqualTo(100 * 16 * queues.size());
            assertThat(controller.admin().features().arbitration()).isEqualTo(WEIGHTS);
        }
    }
}
