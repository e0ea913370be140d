package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.driver.Waiting;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a queue costs on which nothing happens. */
class IdleQueuesTest {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final Duration WAIT = Duration.ofSeconds(1);
    private static final int ASLEEP_FOR_MORE_THAN = 20;

    @RegisterExtension
    static final ServedModel MODEL = new ServedModel(NvmeOptions.DEFAULT.withSizeBytes(16 << 20));

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "POLL")
    void anIdleQueueThatSleepsTakesNextToNoProcessorTime(Waiting waiting) throws IOException {
        long asleep = processorNanos(waiting);
        long polling = processorNanos(Waiting.POLL);
        System.out.printf(
                "waiting for %d ms takes %d µs of a processor by %s, %d by POLL%n",
                WAIT.toMillis(), asleep / 1000, waiting, polling / 1000);
        // Not an absolute time: on a busy machine polling gets less of a processor, too.
        assertThat(asleep * ASLEEP_FOR_MORE_THAN).isLessThan(polling);
    }

    @Test
    void whatComesAfterASleepWakesTheQueue() throws IOException {
        try (NvmeController controller = Nvme.open(MODEL.address());
                QueuePair queue = controller.createQueuePair(4, Waiting.ADAPTIVE);
                DmaMemory buffer = controller.dma().allocate(4096)) {
            assertThat(queue.await(Duration.ofMillis(200))).isZero();
            queue.read(controller.namespace(1), 0, buffer).await(Duration.ofSeconds(30));
        }
    }

    private static long processorNanos(Waiting waiting) throws IOException {
        try (NvmeController controller = Nvme.open(MODEL.address());
                QueuePair queue = controller.createQueuePair(4, waiting)) {
            queue.await(Duration.ofMillis(100));
            long before = THREADS.getCurrentThreadCpuTime();
            assertThat(queue.await(WAIT)).isZero();
            return THREADS.getCurrentThreadCpuTime() - before;
        }
    }
}
