package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.Waiting;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A controller is reset, or closed, while it is busy. Writes to the first namespace. */
abstract class NvmeResetContract {
    private static final int RESETS = 4;
    private static final int PLACES_BETWEEN = 40;
    private static final long LIMIT_SECONDS = 60;

    private final List<BusyQueue> queues = new ArrayList<>();
    private final List<Future<BusyQueue>> results = new ArrayList<>();

    /** Opens the controller; called for each test. */
    abstract NvmeController open() throws IOException;

    private void start(NvmeController controller, ExecutorService threads) throws InterruptedException {
        for (Waiting waiting : Waiting.values()) {
            queues.add(new BusyQueue(controller, waiting, queues.size()));
        }
        queues.forEach(queue -> results.add(threads.submit(queue)));
        awaitAll();
    }

    private void awaitAll() throws InterruptedException {
        for (BusyQueue queue : queues) {
            queue.awaitCompared(PLACES_BETWEEN);
        }
    }

    @Test
    void aResetEndsEveryRequestOnceAndAllQueuesGoOn() throws Exception {
        try (NvmeController controller = open();
                ExecutorService threads = Executors.newCachedThreadPool()) {
            try {
                start(controller, threads);
                for (int i = 0; i < RESETS; i++) {
                    controller.reset();
                    awaitAll();
                }
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

    @Test
    void closingItEndsEveryRequestOnceAndAllThreads() throws Exception {
        NvmeController controller = open();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            start(controller, threads);
            controller.close();
            for (Future<BusyQueue> result : results) {
                assertThatThrownBy(() -> result.get(LIMIT_SECONDS, TimeUnit.SECONDS))
                        .hasCauseInstanceOf(IOException.class);
            }
            assertThat(queues).allMatch(queue -> queue.underWay() == 0 && queue.aborted() > 0);
        }
        try (NvmeController again = open()) {
            assertThat(again.namespaces()).isNotEmpty();
        }
    }
}
