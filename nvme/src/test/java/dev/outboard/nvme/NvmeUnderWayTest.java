package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.BlockChannel;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Waiting;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A controller that is removed, closed or reset while several threads have requests on their way. */
class NvmeUnderWayTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int DEPTH = 8;
    private static final int BLOCK = 512;

    @RegisterExtension
    final ServedModel model = new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(4 << 20));

    private NvmeController controller;
    private NvmeNamespace namespace;

    @BeforeEach
    void open() throws IOException {
        controller = Nvme.open(model.address());
        namespace = controller.namespace(1);
    }

    @AfterEach
    void close() {
        controller.close();
    }

    /** What ends the load. */
    enum End {
        REMOVAL,
        CLOSE
    }

    private void end(End end) {
        switch (end) {
            case REMOVAL -> model.stop();
            case CLOSE -> controller.close();
        }
    }

    /** Writes until it cannot; returns why. Each request is told of once. */
    private final class Load {
        private final List<Integer> timesTold = new ArrayList<>();
        private final CountDownLatch running = new CountDownLatch(4 * DEPTH);
        private final QueuePair queue;
        private final DmaMemory memory;
        private final FutureTask<Exception> task = new FutureTask<>(this::run);

        Load(Waiting waiting) throws IOException {
            queue = controller.createQueuePair(DEPTH, waiting);
            memory = controller.dma().allocate(BLOCK);
        }

        private Exception run() {
            Exception reason = writeUntilItFails();
            queue.close();
            assertThat(timesTold).containsOnly(1);
            return reason;
        }

        private Exception writeUntilItFails() {
            CompletionHandler handler = request -> {
                int number = (int) request.context();
                timesTold.set(number, timesTold.get(number) + 1);
                running.countDown();
            };
            while (true) {
                try {
                    while (queue.room() > 0) {
                        int number = timesTold.size();
                        timesTold.add(0);
                        try {
                            queue.write(namespace, number % 100, 1, memory, 0, handler, number);
                        } catch (IOException | IllegalStateException refused) {
                            timesTold.removeLast();
                            throw refused;
                        }
                    }
                    queue.await(LIMIT);
                } catch (IOException | IllegalStateException e) {
                    return e;
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyThreadIsToldOfEachRequestOnce(End end) throws Exception {
        List<Load> loads = new ArrayList<>();
        for (Waiting waiting : Waiting.values()) {
            loads.add(new Load(waiting));
        }
        loads.forEach(load -> Thread.ofPlatform().daemon().start(load.task));
        Watchdog.call(LIMIT, "load under " + end, () -> {
            for (Load load : loads) {
                load.running.await();
            }
            end(end);
            for (Load load : loads) {
                assertThat(load.task.get())
                        .isInstanceOf(end == End.REMOVAL ? DeviceGoneException.class : Exception.class)
                        .hasMessageFindingMatch("gone|closed|not on its way");
            }
            return null;
        });
    }

    @Test
    void resetsUnderLoadLoseNothingThatWasAcknowledged() throws Exception {
        int rounds = 20;
        List<FutureTask<Integer>> loads = new ArrayList<>();
        CountDownLatch done = new CountDownLatch(rounds);
        for (Waiting waiting : Waiting.values()) {
            NvmeFutures futures = new NvmeFutures(controller, namespace, DEPTH, waiting);
            int first = loads.size() * 100;
            FutureTask<Integer> load = new FutureTask<>(() -> {
                int acknowledged = 0;
                try (DmaMemory block = controller.dma().allocate(BLOCK)) {
                    for (int i = 0; done.getCount() > 0 || i < 100; i++) {
                        byte value = (byte) (i % 100 + 1);
                        block.segment().fill(value);
                        if (succeeds(futures.write(first + i % 100, block))) {
                            acknowledged++;
                            block.segment().fill((byte) 0);
                            while (!succeeds(futures.read(first + i % 100, block))) {
                                // A reset was in the way.
                            }
                            assertThat(block.segment()
                                            .mismatch(MemorySegment.ofArray(new byte[BLOCK])
                                                    .fill(value)))
                                    .isEqualTo(-1);
                        }
                    }
                }
                futures.close();
                return acknowledged;
            });
            loads.add(load);
            Thread.ofPlatform().daemon().start(load);
        }
        Watchdog.call(LIMIT, "load under resets", () -> {
            for (int i = 0; i < rounds; i++) {
                controller.reset();
                done.countDown();
            }
            for (FutureTask<Integer> load : loads) {
                assertThat(load.get()).isPositive();
            }
            return null;
        });
    }

    private static boolean succeeds(CompletableFuture<Long> future) throws InterruptedException {
        try {
            future.get();
            return true;
        } catch (ExecutionException e) {
            assertThat(e.getCause()).isInstanceOf(IOException.class);
            return false;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "REMOVAL, POLL",
        "REMOVAL, ADAPTIVE",
        "REMOVAL, INTERRUPT",
        "CLOSE, POLL",
        "CLOSE, ADAPTIVE",
        "CLOSE, INTERRUPT"
    })
    void noFutureStaysOpen(End end, Waiting waiting) throws Exception {
        NvmeFutures futures = new NvmeFutures(controller, namespace, DEPTH, waiting);
        DmaMemory block = controller.dma().allocate(BLOCK);
        List<CompletableFuture<Long>> all = new ArrayList<>();
        for (int i = 0; i < 20 * DEPTH; i++) {
            all.add(futures.write(i, block));
        }
        end(end);
        for (int i = 0; i < DEPTH; i++) {
            all.add(futures.submit(NvmeCommand.write(namespace, i, 1).data(block)));
        }
        int failed = Watchdog.call(LIMIT, "futures under " + end, () -> {
            int failures = 0;
            for (CompletableFuture<Long> future : all) {
                failures += succeeds(future) ? 0 : 1;
            }
            futures.close();
            return failures;
        });
        assertThat(failed).isGreaterThanOrEqualTo(DEPTH);
    }

    @Test
    void futuresOfAQueueThatFailedEndAndSucceedAfterAReset() throws Exception {
        FakeController fake = new FakeController();
        try (NvmeController lying = Nvme.open(fake)) {
            NvmeFutures futures = new NvmeFutures(lying, lying.namespace(1), 2, Waiting.POLL);
            DmaMemory block = lying.dma().allocate(BLOCK);
            fake.ioFault = completion -> completion.commandId = 4711;
            List<CompletableFuture<Long>> all = new ArrayList<>();
            for (int i = 0; i < 3 * DEPTH; i++) {
                all.add(futures.read(0, block));
            }
            for (CompletableFuture<Long> future : all) {
                assertThat(Watchdog.call(LIMIT, "futures of a liar", () -> succeeds(future)))
                        .isFalse();
            }
            fake.ioFault = completion -> {};
            lying.reset();
            assertThat(Watchdog.call(LIMIT, "futures after a reset", () -> succeeds(futures.read(0, block))))
                    .isTrue();
            futures.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aChannelEndsWithItsDevice(End end) throws Exception {
        NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.ADAPTIVE);
        BlockChannel channel = new BlockChannel(disk);
        CountDownLatch running = new CountDownLatch(10);
        FutureTask<Void> load = new FutureTask<>(() -> {
            MemorySegment target = MemorySegment.ofArray(new byte[3 << 20]);
            while (true) {
                channel.read(0, target);
                running.countDown();
            }
        });
        Thread.ofPlatform().daemon().start(load);
        Watchdog.call(LIMIT, "a channel under " + end, () -> {
            running.await();
            end(end);
            assertThatThrownBy(load::get).cause().isInstanceOfAny(DeviceException.class, IllegalStateException.class);
            channel.close();
            disk.close();
            return null;
        });
    }
}
