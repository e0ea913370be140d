package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several threads that want a controller reset, or use it meanwhile. */
@Timeout(60)
class ControllerThreadsTest {
    private static final Duration SHORT = Duration.ofMillis(50);
    private static final Duration LONG = Duration.ofSeconds(30);

    private final FakeController fake = new FakeController();
    private NvmeController controller;

    @BeforeEach
    void open() throws IOException {
        controller = Nvme.open(fake, NvmeSettings.DEFAULT.withCommandTimeout(LONG));
    }

    @AfterEach
    void close() {
        fake.whenSwitched = enabled -> {};
        controller.close();
    }

    private static <T> FutureTask<T> start(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private int resets() {
        return Collections.frequency(fake.log, "disabled");
    }

    /** Has another thread ask for a reset, and returns once it waits for the one that is going on. */
    private FutureTask<Void> resetMeanwhile() {
        FutureTask<Void> task = new FutureTask<>(() -> {
            controller.reset();
            return null;
        });
        Thread thread = Thread.ofPlatform().daemon().start(task);
        while (thread.getState() != Thread.State.BLOCKED) {
            Thread.onSpinWait();
        }
        return task;
    }

    @Test
    void twoResetsAtATimeAreOne() throws Exception {
        AtomicReference<FutureTask<Void>> second = new AtomicReference<>();
        fake.whenSwitched = enabled -> {
            if (!enabled) {
                second.set(resetMeanwhile());
            }
        };
        controller.reset();
        second.get().get();
        assertThat(resets()).isEqualTo(1);
    }

    @Test
    void whoWaitsForAResetThatFailsIsToldSo() {
        AtomicReference<FutureTask<Void>> second = new AtomicReference<>();
        fake.whenSwitched = enabled -> {
            if (!enabled && second.get() == null) {
                fake.becomesReady = false;
                second.set(resetMeanwhile());
            }
        };
        assertThatThrownBy(() -> controller.reset()).hasMessageContaining("did not become ready");
        assertThatThrownBy(() -> second.get().get())
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(DeviceException.class)
                .hasMessageContaining("the last reset of fake:nvme failed");
    }

    @Test
    void anAdminCommandWaitsForAReset() throws IOException {
        fake.whenSwitched = enabled -> {
            if (enabled) {
                FutureTask<SmartLog> hasty =
                        start(() -> controller.admin().withTimeout(SHORT).logs().smart());
                assertThatThrownBy(hasty::get)
                        .cause()
                        .isInstanceOf(DeviceTimeoutException.class)
                        .hasMessageContaining("it was never sent, because the controller was being reset");
            }
        };
        controller.reset();
        assertThat(controller.admin().logs().smart().criticalWarnings()).isZero();
    }

    @Test
    void twoQueuePairsOverdueAtATimeTakeOneReset() throws Exception {
        FakeController slow = new FakeController();
        AtomicInteger lost = new AtomicInteger();
        slow.ioFault = completion -> completion.lost = lost.getAndIncrement() < 2;
        try (NvmeController overdue = Nvme.open(slow, NvmeSettings.DEFAULT.withCommandTimeout(SHORT))) {
            List<FutureTask<Integer>> threads = new ArrayList<>();
            DmaMemory buffer = overdue.dma().allocate(512);
            for (QueuePair queue : List.of(overdue.createQueuePair(2), overdue.createQueuePair(2))) {
                AtomicInteger told = new AtomicInteger();
                queue.read(overdue.namespace(1), 0, 1, buffer, 0, request -> told.incrementAndGet(), 0);
                queue.submit();
                threads.add(new FutureTask<>(() -> {
                    while (told.get() == 0) {
                        queue.poll();
                    }
                    queue.read(overdue.namespace(1), 0, buffer).await(LONG);
                    return told.get();
                }));
            }
            threads.forEach(thread -> Thread.ofPlatform().daemon().start(thread));
            for (FutureTask<Integer> thread : threads) {
                assertThat(thread.get()).isEqualTo(1);
            }
            assertThat(Collections.frequency(slow.log, "disabled")).isEqualTo(1);
        }
    }
}
