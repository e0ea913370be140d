package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Waiting;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;

/** A controller goes while it is busy. What goes, and how, subclasses say. */
@Timeout(300)
abstract class NvmeRemovalContract {
    private static final long LIMIT_SECONDS = 60;
    private static final int PLACES_BEFORE = 40;

    /** Takes a device away; does not wait until it is closed. */
    interface Removal {
        void start() throws Exception;
    }

    /** Takes the controller away from threads that work; each of them hears of it, and it can be closed. */
    static void assertNoticed(NvmeController controller, Removal removal) throws Exception {
        try (controller;
                ExecutorService threads = Executors.newCachedThreadPool()) {
            List<BusyQueue> queues = new ArrayList<>();
            for (Waiting waiting : Waiting.values()) {
                queues.add(new BusyQueue(controller, waiting, queues.size()));
            }
            List<Future<?>> results = new ArrayList<>();
            queues.forEach(queue -> results.add(threads.submit(queue)));
            results.add(threads.submit(administration(controller)));
            for (BusyQueue queue : queues) {
                queue.awaitCompared(PLACES_BEFORE);
            }
            removal.start();
            for (Future<?> result : results) {
                assertThatThrownBy(() -> result.get(LIMIT_SECONDS, TimeUnit.SECONDS))
                        .hasCauseInstanceOf(DeviceGoneException.class);
            }
            assertThat(queues).allMatch(queue -> queue.underWay() == 0 && queue.aborted() > 0);
            assertThatThrownBy(controller::checkPresent).isInstanceOf(DeviceGoneException.class);
            assertThatThrownBy(controller::reset).isInstanceOf(DeviceGoneException.class);
            assertThatThrownBy(() -> controller.createQueuePair(1)).isInstanceOf(IOException.class);
        }
    }

    private static Callable<Void> administration(NvmeController controller) {
        return () -> {
            while (true) {
                controller.admin().logs().smart();
            }
        };
    }
}
