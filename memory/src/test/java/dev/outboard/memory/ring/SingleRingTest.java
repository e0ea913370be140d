package dev.outboard.memory.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SingleRingTest {
    private static final Duration NO_TIME = Duration.ZERO;
    private static final Duration LONG_TIME = Duration.ofSeconds(20);

    private final Arena arena = Arena.ofShared();
    private Fd file;
    private Ring ring;
    private RingProducer producer;
    private RingConsumer consumer;

    @BeforeEach
    void create() throws IOException {
        file = Fd.memfd("ring", 0);
        ring = Ring.create(file, Ring.Kind.SINGLE_CONSUMER, 1024);
        producer = ring.producer();
        consumer = Ring.attach(file).consumer();
    }

    @AfterEach
    void close() {
        producer.close();
        consumer.close();
        ring.close();
        file.close();
        arena.close();
    }

    private MemorySegment text(String text) {
        return arena.allocateFrom(text, StandardCharsets.UTF_8).asSlice(0, text.length());
    }

    @Test
    void recordsOfEveryLengthArriveInOrderAndAroundTheEnd() throws IOException {
        for (int length = 0; length <= ring.maximumLength(); length++) {
            MemorySegment bytes = arena.allocate(Math.max(1, length)).asSlice(0, length);
            bytes.fill((byte) length);
            Records records = new Records();
            assertThat(producer.offer(length, bytes, NO_TIME)).isTrue();

            consumer.poll(records, 10);
            assertThat(records.types().getFirst()).isEqualTo(length);
            assertThat(records.bytes().getFirst()).isEqualTo(bytes.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void manyRandomRecordsAreReadAsTheyWereWritten() throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        List<Long> read = new ArrayList<>();
        long written = 0;
        while (written < 20_000) {
            for (int i = random.nextInt(8); i > 0; i--) {
                long at = producer.tryClaim(Records.length(written));
                if (at == RingProducer.FULL) {
                    break;
                }
                Records.fill(producer.memory(), at, written);
                producer.commit((int) written++);
            }
            consumer.poll(
                    (type, memory, at, length) -> read.add(Records.checked(type, memory, at, length)),
                    1 + random.nextInt(8));
        }
        while (consumer.poll((type, memory, at, length) -> read.add(Records.checked(type, memory, at, length)), 100)
                > 0) {}
        assertThat((long) read.size()).isEqualTo(written);
        for (int i = 0; i < read.size(); i++) {
            assertThat(read.get(i)).isEqualTo(i);
        }
    }

    @Test
    void payloadThatLooksLikeAHeaderIsNotReadAsOne() throws IOException {
        // Every position of the next rounds, as a stamp, where a header may come to lie.
        for (int round = 0; round < 50; round++) {
            long at = producer.tryClaim(400);
            if (at == RingProducer.FULL) {
                break;
            }
            for (int i = 0; i < 400; i += 8) {
                long index = at - RingLayout.DATA + i;
                long base = (round + 1L) * 432 / 1024 * 1024;
                producer.memory().set(ValueLayout.JAVA_LONG, at + i, (base + 1024 + index) | 1);
            }
            producer.commit(1);
            Records records = new Records();
            assertThat(consumer.poll(records, 10)).isEqualTo(1);
            assertThat(records.bytes().getFirst()).hasSize(400);
            // Short ones, so that headers come to lie inside of what was long.
            for (int i = 0; i < round % 7; i++) {
                producer.offer(2, text("short"), NO_TIME);
                Records one = new Records();
                assertThat(consumer.poll(one, 10)).isEqualTo(1);
                assertThat(one.types()).containsExactly(2);
            }
        }
    }

    @Test
    void aFullRingTakesNothingUntilSomethingIsRead() throws IOException {
        int count = 0;
        while (producer.offer(count, text("0123456789abcdef"), NO_TIME)) {
            count++;
        }
        assertThat(count).isEqualTo(1024 / 32);
        assertThat(producer.tryClaim(0)).isEqualTo(RingProducer.FULL);
        assertThat(consumer.poll(new Records(), 1)).isEqualTo(1);
        assertThat(producer.offer(count, text("x"), NO_TIME)).isTrue();
    }

    @Test
    void aClaimMayBeShortenedOrGivenUp() throws IOException {
        long at = producer.claim(100, NO_TIME);
        producer.abort();
        assertThat(producer.claim(100, NO_TIME)).isEqualTo(at);
        producer.memory().set(ValueLayout.JAVA_BYTE, at, (byte) 9);
        producer.commit(5, 1);
        Records records = new Records();
        assertThat(consumer.poll(records, 10)).isEqualTo(1);
        assertThat(records.bytes().getFirst()).containsExactly(9);
    }

    @Test
    void quietRecordsAreReadByWhoLooks() throws IOException {
        for (int i = 0; i < 5; i++) {
            producer.claim(8, NO_TIME);
            producer.commitQuietly(i, 8);
        }
        producer.wake();
        Records records = new Records();
        assertThat(consumer.poll(records, 3)).isEqualTo(3);
        assertThat(consumer.poll(records, 3)).isEqualTo(2);
        assertThat(records.types()).containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void aRecordWhoseHandlerThrowsIsReadOnce() throws IOException {
        producer.offer(1, text("a"), NO_TIME);
        producer.offer(2, text("b"), NO_TIME);
        assertThatThrownBy(() -> consumer.poll(
                        (type, memory, offset, length) -> {
                            throw new UnsupportedOperationException("no");
                        },
                        5))
                .isInstanceOf(UnsupportedOperationException.class);
        Records records = new Records();
        consumer.poll(records, 5);
        assertThat(records.types()).containsExactly(2);
    }

    @Test
    void handlersCannotWriteIntoTheRing() throws IOException {
        producer.offer(1, text("a"), NO_TIME);
        consumer.poll(
                (type, memory, offset, length) ->
                        assertThat(memory.isReadOnly()).isTrue(),
                1);
    }

    @Test
    void waitingEndsAtTheDeadline() throws IOException {
        assertThat(consumer.await(new Records(), 1, Duration.ofMillis(2))).isZero();
        consumer.spinFor(NO_TIME);
        assertThat(consumer.await(new Records(), 1, Duration.ofMillis(2))).isZero();
        while (producer.offer(1, text("x"), NO_TIME)) {}
        assertThat(producer.claim(1, Duration.ofMillis(2))).isEqualTo(RingProducer.FULL);
    }

    @Test
    void anArmedConsumerIsSignalledOnce() throws IOException {
        try (EventFd event = EventFd.create()) {
            producer.signal(event);
            producer.offer(1, text("x"), NO_TIME);
            assertThat(event.read()).isZero();
            assertThat(consumer.arm()).isFalse();
            consumer.poll(new Records(), 9);
            assertThat(event.read()).isZero();
            assertThat(consumer.arm()).isTrue();
            producer.offer(1, text("x"), NO_TIME);
            producer.offer(1, text("x"), NO_TIME);
            assertThat(event.await(LONG_TIME)).isEqualTo(1);
        }
    }

    @Test
    void whoClosedIsMissedOnceEverythingIsRead() throws IOException {
        producer.offer(1, text("last"), NO_TIME);
        producer.close();
        assertThat(consumer.await(new Records(), 9, LONG_TIME)).isEqualTo(1);
        assertThatThrownBy(() -> consumer.await(new Records(), 9, LONG_TIME))
                .isInstanceOfSatisfying(
                        PeerGoneException.class, e -> assertThat(e.died()).isFalse())
                .hasMessageContaining("closed");
        try (RingProducer next = ring.producer()) {
            consumer.close();
            assertThatThrownBy(() -> {
                        while (next.offer(1, text("x"), LONG_TIME)) {}
                    })
                    .isInstanceOf(PeerGoneException.class);
        }
    }

    @Test
    void aSecondProducerOrConsumerIsRefusedAndToldWhoHasTheRole() {
        long pid = ProcessHandle.current().pid();
        assertThatThrownBy(ring::producer).isInstanceOf(RingException.class).hasMessageContaining("process " + pid);
        assertThatThrownBy(ring::consumer).isInstanceOf(RingException.class).hasMessageContaining("process " + pid);
        assertThatThrownBy(() -> Ring.create(file, Ring.Kind.BROADCAST, 1024))
                .isInstanceOf(RingException.class)
                .hasMessageContaining("attach");
    }

    @Test
    void rolesGoOnWhereTheLastOnesStopped() throws IOException {
        for (int i = 0; i < 200; i++) {
            producer.offer(i, text("some text " + i), NO_TIME);
            if (i % 3 == 0) {
                producer.close();
                producer = ring.producer();
            }
            if (i % 5 == 0) {
                consumer.close();
                consumer = ring.consumer();
            }
            Records records = new Records();
            assertThat(consumer.poll(records, 9)).isEqualTo(1);
            assertThat(records.types()).containsExactly(i);
        }
    }

    @Test
    void aProducerThatWasKilledBetweenItsStoresIsContinued() throws IOException {
        producer.offer(1, text("a"), NO_TIME);
        producer.offer(2, text("b"), NO_TIME);
        producer.close();
        // The second record's header is out, the position is not.
        producer.memory().set(ValueLayout.JAVA_LONG, RingLayout.TAIL, 32);
        producer = ring.producer();
        producer.offer(3, text("c"), NO_TIME);
        Records records = new Records();
        consumer.poll(records, 9);
        assertThat(records.types()).containsExactly(1, 2, 3);
    }

    @Test
    void badUseIsExplained() throws IOException {
        assertThatThrownBy(() -> producer.tryClaim(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> producer.tryClaim(ring.maximumLength() + 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0 to " + ring.maximumLength());
        assertThatThrownBy(() -> producer.commit(1)).isInstanceOf(IllegalStateException.class);
        producer.tryClaim(8);
        assertThatThrownBy(() -> producer.tryClaim(8)).hasMessageContaining("commit or abort");
        assertThatThrownBy(() -> producer.commit(1, 9)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> producer.commit(1, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> producer.commit(-1)).hasMessageContaining("padding");
        producer.abort();
        assertThatThrownBy(() -> consumer.poll(new Records(), 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> consumer.spinFor(Duration.ofNanos(-1))).isInstanceOf(IllegalArgumentException.class);
        producer.close();
        producer.close();
        consumer.close();
        consumer.close();
        assertThatThrownBy(() -> producer.tryClaim(1)).hasMessageContaining("closed");
        assertThatThrownBy(() -> consumer.poll(new Records(), 1)).hasMessageContaining("closed");
    }
}
