package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** A controller is reset while it is busy. Writes to the first namespace. */
abstract class NvmeResetContract {
    private static final int RESETS = 4;
    private static final int PLACES_BETWEEN = 40;

    /** Opens the controller; called for each test. */
    abstract NvmeController open() throws IOException;

    @Test
    void everyRequestEndsOnceAndAllQueuesGoOn() throws Exception {
        try (NvmeController controller = open();
                ExecutorService threads = Executors.newFixedThreadPool(Waiting.values().length)) {
            List<BusyQueue> queues = new ArrayList<>();
            for (Waiting waiting : Waiting.values()) {
                queues.add(new BusyQueue(controller, waiting, queues.size()));
            }
            List<Future<BusyQueue>> results = new ArrayList<>();
            queues.forEach(queue -> results.add(threads.submit(queue)));
            try {
                for (int i = 0; i < RESETS; i++) {
                    awaitAll(queues);
                    controller.reset();
                }
                awaitAll(queues);
            } finally {
                queues.forEach(BusyQueue::stop);
            }
            for (Future<BusyQueue> result : results) {
                assertThat(result.get().underWay()).isZero();
                // A full queue always has some under way.
                assertThat(result.get().aborted()).isGreaterThanOrEqualTo(RESETS);
            }
            assertThat(controller.admin().logs().smart().temperatureKelvin()).isPositive();
        }
    }

    private static void awaitAll(List<BusyQueue> queues) throws InterruptedException {
        for (BusyQueue queue : queues) {
            queue.awaitCompared(PLACES_BETWEEN);
        }
    }
}
