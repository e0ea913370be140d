package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.memory.DmaMemory;
import dev.outboard.nvme.NvmeSettings.ShadowDoorbellUse;
import dev.outboard.specs.nvme.Identify;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Doorbells in memory, and what the controller hears of them by registers. */
class ShadowDoorbellsTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    private final FakeController fake = new FakeController();

    @BeforeEach
    void offer() {
        fake.identity.put("oacs", Identify.OACS_DOORBELL_BUFFER.mask());
    }

    @ParameterizedTest
    @CsvSource({
        // The controller has seen all: any step is news.
        "0, 0, 1, true",
        "7, 7, 9, true",
        // It asked for a place on the way.
        "8, 7, 9, true",
        // It asked for one that is still ahead, or behind.
        "9, 7, 9, false",
        "6, 7, 9, false",
        "1, 0, 1, false",
        // From the end of the queue to its start, and past 16 bits.
        "15, 15, 0, true",
        "10, 15, 0, false",
        "65535, 65535, 0, true",
        "0, 65535, 1, true",
        "1, 65535, 1, false",
        "0, 0, 0, false"
    })
    void theRegisterIsWrittenWhenThePositionPassesTheEventIndex(int event, int before, int after, boolean written) {
        assertThat(ShadowDoorbells.passes(event, before, after)).isEqualTo(written);
    }

    @Test
    void theControllerIsToldByRegisterOnlyIfItAsks() throws IOException {
        try (NvmeController controller = Nvme.open(fake);
                QueuePair queue = controller.createQueuePair(8);
                DmaMemory buffer = controller.dma().allocate(512)) {
            assertThat(controller.hasShadowDoorbells()).isTrue();
            NvmeNamespace namespace = controller.namespace(1);
            queue.read(namespace, 0, buffer).await(SOON);
            assertThat(fake.tailWrites)
                    .as("an index of 0 asks for the first command")
                    .isOne();
            fake.lookAtShadow(1, 4);
            int[] done = new int[1];
            for (int i = 0; i < 3; i++) {
                queue.read(namespace, 0, 1, buffer, 0, request -> done[0]++, 0);
                queue.submit();
            }
            assertThat(queue.poll())
                    .as("nobody looks before the index is passed")
                    .isZero();
            assertThat(fake.tailWrites).isOne();
            fake.lookAtShadow(1, 4);
            assertThat(queue.poll()).isEqualTo(3);
            queue.read(namespace, 0, buffer).await(SOON);
            assertThat(fake.tailWrites).as("the fifth command passes the index").isEqualTo(2);
            assertThat(done[0]).isEqualTo(3);
        }
    }

    @Test
    void doorbellsAreShadowedAgainAfterAReset() throws IOException {
        try (NvmeController controller = Nvme.open(fake);
                QueuePair queue = controller.createQueuePair(8);
                DmaMemory buffer = controller.dma().allocate(512)) {
            queue.read(controller.namespace(1), 0, buffer).await(SOON);
            for (int round = 0; round < 3; round++) {
                fake.lookAtShadow(1, 5);
                controller.reset();
                assertThat(fake.isShadowed()).isTrue();
                // The queue starts from its beginning, and so does its shadow: the first command asks for the register.
                fake.tailWrites = 0;
                queue.read(controller.namespace(1), 0, buffer).await(SOON);
                assertThat(fake.tailWrites).isOne();
            }
        }
    }

    @Test
    void aQueueThatIsCreatedAnewDoesNotFindTheShadowOfTheLast() throws IOException {
        try (NvmeController controller = Nvme.open(fake);
                DmaMemory buffer = controller.dma().allocate(512)) {
            for (int round = 0; round < 3; round++) {
                try (QueuePair queue = controller.createQueuePair(8)) {
                    fake.tailWrites = 0;
                    queue.read(controller.namespace(1), 0, buffer).await(SOON);
                    assertThat(fake.tailWrites).isOne();
                    fake.lookAtShadow(1, 5);
                }
            }
        }
    }

    @Test
    void oneThatDoesNotWantThemHasItsRegisters() throws IOException {
        try (NvmeController controller =
                Nvme.open(fake, NvmeSettings.DEFAULT.withShadowDoorbells(ShadowDoorbellUse.OFF))) {
            assertThat(controller.hasShadowDoorbells()).isFalse();
            assertThat(fake.isShadowed()).isFalse();
        }
    }

    @Test
    void oneThatDoesNotOfferThemHasItsRegisters() throws IOException {
        fake.identity.clear();
        try (NvmeController controller =
                Nvme.open(fake, NvmeSettings.DEFAULT.withShadowDoorbells(ShadowDoorbellUse.ON))) {
            assertThat(controller.hasShadowDoorbells()).isFalse();
        }
    }
}
