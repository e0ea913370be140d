package dev.outboard.memory.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BroadcastRingTest {
    private static final Duration LONG_TIME = Duration.ofSeconds(20);

    private final Arena arena = Arena.ofShared();
    private Ring ring;
    private RingProducer producer;

    @BeforeEach
    void create() throws IOException {
        ring = Ring.create(arena.allocate(RingLayout.DATA + 4096, 128), Ring.Kind.BROADCAST);
        producer = ring.producer();
    }

    @AfterEach
    void close() {
        producer.close();
        ring.close();
        arena.close();
    }

    private void write(long number) throws IOException {
        long at = producer.tryClaim(Records.length(number));
        Records.fill(producer.memory(), at, number);
        producer.commit((int) number);
    }

    private static List<Long> readAll(RingConsumer consumer) throws IOException {
        List<Long> read = new ArrayList<>();
        while (consumer.poll((type, memory, at, length) -> read.add(Records.checked(type, memory, at, length)), 7)
                > 0) {}
        return read;
    }

    @Test
    void everyConsumerReadsEveryRecordFromWhenItCame() throws IOException {
        try (RingConsumer first = ring.consumer()) {
            write(0);
            write(1);
            try (RingConsumer second = Ring.attach(producer.memory()).consumer()) {
                write(2);
                assertThat(readAll(first)).containsExactly(0L, 1L, 2L);
                assertThat(readAll(second)).containsExactly(2L);
                assertThat(first.lost() + second.lost()).isZero();
            }
        }
    }

    @Test
    void whoIsTooSlowCountsExactlyWhatHeLost() throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        try (RingConsumer consumer = ring.consumer()) {
            long written = 0;
            long read = 0;
            long last = -1;
            for (int round = 0; round < 2000; round++) {
                for (int i = random.nextInt(120); i > 0; i--) {
                    write(written++);
                }
                for (long number : readAll(consumer)) {
                    assertThat(number).isGreaterThan(last);
                    last = number;
                    read++;
                    assertThat(number + 1).isEqualTo(read + consumer.lost());
                }
            }
            assertThat(read + consumer.lost()).isEqualTo(written);
            assertThat(consumer.lost()).isPositive();
        }
    }

    @Test
    void theProducerNeverWaits() throws IOException {
        try (RingConsumer consumer = ring.consumer()) {
            for (long i = 0; i < 10_000; i++) {
                write(i);
            }
            assertThat(readAll(consumer)).containsExactly(9_999L);
            assertThat(consumer.lost()).isEqualTo(9_999);
        }
    }

    @Test
    void aRecordThatIsBeingOverwrittenIsLostNotWrong() throws IOException {
        try (RingConsumer consumer = ring.consumer()) {
            write(0);
            // Claims announce before they write: enough of them reach the first record.
            for (int i = 1; i < 10; i++) {
                producer.tryClaim(producer.maximumLength());
                producer.commit(i);
            }
            Records records = new Records();
            assertThat(consumer.poll(records, 1)).isEqualTo(1);
            assertThat(records.types()).containsExactly(9);
            assertThat(consumer.lost()).isEqualTo(9);
        }
    }

    @Test
    void aNewProducerNumbersOn() throws IOException {
        try (RingConsumer consumer = ring.consumer()) {
            write(0);
            producer.close();
            producer = ring.producer();
            write(1);
            assertThat(readAll(consumer)).containsExactly(0L, 1L);
            assertThat(consumer.lost()).isZero();
        }
    }

    @Test
    void aClosedProducerIsMissed() throws IOException {
        try (RingConsumer consumer = ring.consumer()) {
            producer.close();
            assertThatThrownBy(() -> consumer.await(new Records(), 1, LONG_TIME))
                    .isInstanceOf(PeerGoneException.class);
        }
    }

    @Test
    void aLyingProducerIsAnExceptionNeverAnAccessOutside() throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        MemorySegment memory = producer.memory();
        int lies = 0;
        for (int round = 0; round < 3000; round++) {
            for (int i = 0; i < 20; i++) {
                write(i);
            }
            try (RingConsumer consumer = ring.consumer()) {
                write(1);
                long[] targets = {RingLayout.LATEST, RingLayout.RESERVED, RingLayout.DATA + random.nextLong(512) * 8};
                long target = targets[random.nextInt(targets.length)];
                long value = random.nextBoolean() ? random.nextLong() : random.nextLong(1 << 20) * 16;
                long before = memory.get(ValueLayout.JAVA_LONG, target);
                memory.set(ValueLayout.JAVA_LONG, target, value);
                try {
                    consumer.poll((type, m, at, length) -> m.asSlice(at, length), 5);
                } catch (RingException e) {
                    lies++;
                }
                memory.set(ValueLayout.JAVA_LONG, target, before);
            }
        }
        assertThat(lies).isPositive();
    }
}
