package dev.outboard.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Neither side of a queue allocates, however it is compiled. */
class QueueAllocationTest {
    private static final int ROUND = 10_000;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @EnumSource
    void requestsAllocateNothing(QueueLayout layout) throws IOException {
        try (QueuePairing queue = new QueuePairing(layout, 16)) {
            run(queue);
            long before = threads.getCurrentThreadAllocatedBytes();
            run(queue);
            long perRequest = (threads.getCurrentThreadAllocatedBytes() - before) / ROUND;
            assertThat(perRequest).as("bytes for each request").isZero();
        }
    }

    private static void run(QueuePairing queue) throws IOException {
        for (int i = 0; i < ROUND; i++) {
            queue.driver.readable(queue.at(0), 16);
            queue.driver.writable(queue.at(64), 8);
            int id = queue.driver.add();
            queue.driver.publish();
            if (!queue.device.take(queue.chain) || !queue.chain.write(0, queue.data.segment(), 128, 8)) {
                throw new AssertionError("no request");
            }
            queue.device.complete(queue.chain, 8);
            queue.device.publish();
            if (queue.driver.poll() != id) {
                throw new AssertionError("not used");
            }
        }
    }
}
