package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.nvme.NvmeSettings.HostMemoryUse;
import dev.outboard.specs.nvme.Feature;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * A controller that prefers 8 MiB of host memory, takes 2 MiB, in up to 4 pieces from 256 KiB on, and notices when
 * something happens to them. Writes to the first namespace.
 */
abstract class HostMemoryContract {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final long MIB = 1 << 20;
    private static final int RESETS = 4;
    private static final int PLACES_BETWEEN = 40;

    /** Opens the controller. */
    abstract NvmeController open(NvmeSettings settings) throws IOException;

    /** Reads so much that the controller uses all of what it has. */
    private static void readAll(NvmeController controller) throws IOException {
        NvmeNamespace namespace = controller.namespaces().getFirst();
        int blocks = 4096 / namespace.blockSizeBytes();
        try (QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(4096)) {
            for (long block = 0; block < namespace.blockCount(); block += blocks) {
                queue.read(namespace, block, buffer).await(SOON);
            }
        }
    }

    @Test
    void theControllerGetsWhatItPrefers() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT)) {
            assertThat(controller.hostMemoryBytes()).isEqualTo(8 * MIB);
            Features.HostMemory told = controller.admin().features().hostMemory();
            assertThat(told.enabled()).isTrue();
            assertThat(told.pages()).isEqualTo(8 * MIB / 4096);
            assertThat(told.pieces()).isEqualTo(1);
            readAll(controller);
        }
    }

    @Test
    void theControllerGetsNoMoreThanItMay() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT.withHostMemoryLimit(3 * MIB + 1))) {
            assertThat(controller.hostMemoryBytes()).isEqualTo(3 * MIB);
            readAll(controller);
        }
        try (NvmeController controller = open(NvmeSettings.DEFAULT.withHostMemoryLimit(2 * MIB - 1))) {
            assertThat(controller.hostMemoryBytes()).as("less than it needs").isZero();
            assertThat(controller.admin().features().hostMemory().enabled()).isFalse();
            readAll(controller);
        }
        NvmeSettings tooLittle =
                NvmeSettings.DEFAULT.withHostMemory(HostMemoryUse.ON).withHostMemoryLimit(2 * MIB - 1);
        assertThatThrownBy(() -> open(tooLittle))
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("needs a host memory buffer of 2M, and may have 2097151; allow it more");
    }

    @Test
    void theControllerGetsNoneIfItShallNot() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT.withHostMemory(HostMemoryUse.OFF))) {
            assertThat(controller.hostMemoryBytes()).isZero();
            assertThat(controller.admin().features().hostMemory()).isEqualTo(new Features.HostMemory(false, 0, 0, 0));
            readAll(controller);
        }
    }

    @Test
    void itIsReturnedAfterEachReset() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT)) {
            Features.HostMemory before = controller.admin().features().hostMemory();
            for (int i = 0; i < RESETS; i++) {
                // The controller compares what it gets back with what it left.
                readAll(controller);
                controller.reset();
                assertThat(controller.admin().features().hostMemory()).isEqualTo(before);
                assertThat(controller.hostMemoryBytes()).isEqualTo(8 * MIB);
            }
        }
        try (NvmeController again = open(NvmeSettings.DEFAULT)) {
            readAll(again);
        }
    }

    @Test
    void aProgramCannotTakeItAway() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT)) {
            assertThatThrownBy(() -> controller.admin().features().set(Feature.HOST_MEMORY_BUFFER, 0))
                    .hasMessageContaining("for the driver alone")
                    .hasMessageContaining("NvmeSettings.withHostMemory");
        }
    }

    @Test
    void resetsUnderLoadLeaveItAsItIs() throws Exception {
        try (NvmeController controller = open(NvmeSettings.DEFAULT);
                ExecutorService threads = Executors.newCachedThreadPool()) {
            BusyQueue first = new BusyQueue(controller, Waiting.POLL, 0);
            BusyQueue second = new BusyQueue(controller, Waiting.INTERRUPT, 1);
            Future<BusyQueue> firstEnd = threads.submit(first);
            Future<BusyQueue> secondEnd = threads.submit(second);
            try {
                for (int i = 0; i < RESETS; i++) {
                    first.awaitCompared(PLACES_BETWEEN);
                    second.awaitCompared(PLACES_BETWEEN);
                    controller.reset();
                    assertThat(controller.hostMemoryBytes()).isEqualTo(8 * MIB);
                }
                first.awaitCompared(PLACES_BETWEEN);
                second.awaitCompared(PLACES_BETWEEN);
            } finally {
                first.stop();
                second.stop();
            }
            assertThat(firstEnd.get().underWay() + secondEnd.get().underWay()).isZero();
            assertThat(controller.resets()).as("none but these").isEqualTo(RESETS);
            readAll(controller);
        }
    }
}
