package dev.outboard.memory.ring;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RingAllocationTest {
    private static final int OPERATIONS = 20_000;
    private static final int TRIES = 20;
    private static final Duration TIME = Duration.ofSeconds(1);
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private long sum;

    @ParameterizedTest
    @EnumSource(Ring.Kind.class)
    void writingAndReadingAllocatesNothing(Ring.Kind kind) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            Ring ring = Ring.create(arena.allocate(RingLayout.DATA + 4096, 128), kind);
            MemorySegment record = arena.allocate(24);
            RecordHandler handler = (type, memory, at, length) -> sum += memory.get(ValueLayout.JAVA_LONG, at) + type;
            try (RingProducer producer = ring.producer();
                    RingConsumer consumer = ring.consumer()) {
                long least = Long.MAX_VALUE;
                for (int i = 0; i < TRIES; i++) {
                    long before = THREADS.getCurrentThreadAllocatedBytes();
                    run(producer, consumer, record, handler);
                    least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
                }
                assertThat(least).isZero();
                assertThat(sum).isPositive();
                assertThat(consumer.lost()).isZero();
            }
        }
    }

    private void run(RingProducer producer, RingConsumer consumer, MemorySegment record, RecordHandler handler)
            throws IOException {
        for (int i = 0; i < OPERATIONS; i++) {
            long at = producer.claim(8, TIME);
            producer.memory().set(ValueLayout.JAVA_LONG, at, i);
            producer.commit(i);
            producer.offer(2, record, TIME);
            producer.tryClaim(16);
            producer.commitQuietly(3, 8);
            producer.wake();
            if (consumer.await(handler, 2, TIME) + consumer.poll(handler, 10) != 3) {
                throw new AssertionError("records are missing");
            }
        }
    }
}
