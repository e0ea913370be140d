package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Registers;
import dev.outboard.nvme.NvmeSettings.ControllerMemoryUse;
import dev.outboard.nvme.NvmeSettings.ShadowDoorbellUse;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * What a controller does that is opened in other ways than usual: it offers shadow doorbells, and has a controller memory
 * buffer of 1 MiB for everything. Writes to the first namespace.
 */
abstract class NvmeSettingsContract {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int KIB = 1024;
    private static final int COMMANDS = 500;

    /** Opens the controller. */
    abstract NvmeController open(NvmeSettings settings) throws IOException;

    /** More commands than there are entries in the queue, several at a time. */
    private static void verify(NvmeController controller, QueuePair queue, long seed) throws IOException {
        NvmeNamespace namespace = controller.namespaces().getFirst();
        int bytes = namespace.blockSizeBytes();
        try (DmaMemory buffer = controller.dma().allocate((long) queue.depth() * bytes)) {
            for (long block = 0; block < COMMANDS; block++) {
                buffer.segment().set(ValueLayout.JAVA_LONG, 0, seed + block);
                queue.write(namespace, block, buffer.slice(0, bytes)).await(SOON);
            }
            int[] right = new int[1];
            for (long block = 0; block < COMMANDS; ) {
                for (int slot = 0; slot < queue.depth() && block < COMMANDS; slot++, block++) {
                    long at = (long) slot * bytes;
                    long expected = seed + block;
                    CompletionHandler compare = request -> right[0] +=
                            request.status() == 0 && buffer.segment().get(ValueLayout.JAVA_LONG, at) == expected
                                    ? 1
                                    : 0;
                    queue.read(namespace, block, 1, buffer, at, compare, 0);
                }
                while (queue.room() < queue.depth()) {
                    assertThat(queue.await(SOON)).isPositive();
                }
            }
            assertThat(right[0]).isEqualTo(COMMANDS);
        }
    }

    @Test
    void doorbellsAreShadowedOnlyIfTheyMayBe() throws IOException {
        for (ShadowDoorbellUse use : ShadowDoorbellUse.values()) {
            try (NvmeController controller = open(NvmeSettings.DEFAULT.withShadowDoorbells(use));
                    QueuePair polling = controller.createQueuePair(7);
                    QueuePair sleeping = controller.createQueuePair(3, Waiting.INTERRUPT)) {
                if (use != ShadowDoorbellUse.AUTO) {
                    assertThat(controller.hasShadowDoorbells()).isEqualTo(use == ShadowDoorbellUse.ON);
                }
                verify(controller, polling, 1);
                verify(controller, sleeping, 2);
            }
        }
    }

    @Test
    void everythingIsSetUpAgainAfterAReset() throws IOException {
        NvmeSettings settings = NvmeSettings.DEFAULT
                .withShadowDoorbells(ShadowDoorbellUse.ON)
                .withControllerMemory(ControllerMemoryUse.SUBMISSION_QUEUES);
        try (NvmeController controller = open(settings);
                QueuePair queue = controller.createQueuePair(7);
                DmaMemory unread = controller.dma().allocate(4096)) {
            for (int round = 0; round < 3; round++) {
                verify(controller, queue, 10L * round);
                NvmeRequest forgotten = queue.read(controller.namespaces().getFirst(), 0, unread);
                controller.reset();
                assertThatThrownBy(() -> forgotten.await(SOON)).hasMessageContaining("aborted by host");
            }
            verify(controller, queue, 100);
            try (QueuePair another = controller.createQueuePair(5)) {
                verify(controller, another, 200);
            }
        }
    }

    @Test
    void submissionQueuesLieInTheControllersMemory() throws IOException {
        try (NvmeController controller =
                open(NvmeSettings.DEFAULT.withControllerMemory(ControllerMemoryUse.SUBMISSION_QUEUES))) {
            ControllerMemory memory = controller.memory().orElseThrow();
            assertThat(memory.takesSubmissionQueues()).isTrue();
            long all = memory.sizeBytes();
            try (QueuePair queue = controller.createQueuePair(15)) {
                verify(controller, queue, 3);
                assertThatThrownBy(() -> memory.allocate(all)).hasMessageContaining("close what is no longer needed");
            }
            try (DeviceMemory.Piece rest = memory.allocate(all);
                    QueuePair elsewhere = controller.createQueuePair(15)) {
                assertThat(rest.sizeBytes()).isEqualTo(all);
                verify(controller, elsewhere, 4);
            }
        }
    }

    @Test
    void dataLieInTheControllersMemory() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT.withControllerMemory(ControllerMemoryUse.DATA));
                QueuePair queue = controller.createQueuePair(4);
                DmaMemory buffer = controller.dma().allocate(16 * KIB)) {
            ControllerMemory memory = controller.memory().orElseThrow();
            assertThat(memory.takesReads()).isTrue();
            assertThat(memory.takesWrites()).isTrue();
            NvmeNamespace namespace = controller.namespaces().getFirst();
            int blocks = 16 * KIB / namespace.blockSizeBytes();
            try (DeviceMemory.Piece first = memory.allocate(100);
                    DeviceMemory.Piece piece = memory.allocate(16 * KIB)) {
                assertThat(piece.deviceAddress()).isGreaterThan(first.deviceAddress());
                Registers stored = piece.registers();
                for (int i = 0; i < 16 * KIB; i += KIB) {
                    stored.write64(i, i + 1L);
                }
                queue.submit(NvmeCommand.write(namespace, 40, blocks).data(piece))
                        .await(SOON);
                queue.read(namespace, 40, buffer).await(SOON);
                for (int i = 0; i < 16 * KIB; i += KIB) {
                    assertThat(buffer.segment().get(ValueLayout.JAVA_LONG, i)).isEqualTo(i + 1L);
                }
                buffer.segment().fill((byte) 0x5a);
                queue.write(namespace, 40, buffer).await(SOON);
                queue.submit(NvmeCommand.read(namespace, 40, blocks).data(piece))
                        .await(SOON);
                assertThat(stored.read64(16 * KIB - 8)).isEqualTo(0x5a5a_5a5a_5a5a_5a5aL);
            }
        }
    }

    @Test
    void theControllersMemoryIsLeftAloneUnlessItIsAskedFor() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT)) {
            assertThat(controller.memory()).isEmpty();
        }
    }

    @Test
    void asManyQueuePairsAsAskedFor() throws IOException {
        try (NvmeController controller = open(NvmeSettings.DEFAULT.withQueuePairs(2));
                QueuePair first = controller.createQueuePair(4);
                QueuePair second = controller.createQueuePair(4)) {
            assertThat(controller.maximumQueuePairs()).isEqualTo(2);
            assertThatThrownBy(() -> controller.createQueuePair(4)).hasMessageContaining("has 2 queue pairs");
            verify(controller, first, 5);
            verify(controller, second, 6);
        }
    }
}
