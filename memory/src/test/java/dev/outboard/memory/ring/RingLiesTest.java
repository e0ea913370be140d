package dev.outboard.memory.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.linux.Fd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory that is no ring, and peers that lie. */
class RingLiesTest {
    private static final int CAPACITY = 1024;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment memory = arena.allocate(RingLayout.DATA + CAPACITY, 128);

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "0x00, 8, 0, OUTBRING",
        "0x08, 4, 2, version",
        "0x08, 4, 0, version",
        "0x0c, 4, 3, kind",
        "0x10, 8, 0, power of two",
        "0x10, 8, 1000, power of two",
        "0x10, 8, 2048, hold",
        "0x10, 8, -9223372036854775808, power of two",
        "0x18, 4, 0, data offset",
        "0x18, 4, -1, data offset",
        "0x1c, 4, 8, record header",
        "0x20, 4, 4096, longest record"
    })
    void aWrongHeaderIsRefused(String offset, int width, long value, String says) throws IOException {
        Ring.create(memory, Ring.Kind.SINGLE_CONSUMER);
        long at = Long.decode(offset);
        if (width == Integer.BYTES) {
            memory.set(ValueLayout.JAVA_INT, at, (int) value);
        } else {
            memory.set(ValueLayout.JAVA_LONG, at, value);
        }
        assertThatThrownBy(() -> Ring.attach(memory))
                .isInstanceOf(RingException.class)
                .hasMessageContaining(says);
    }

    @ParameterizedTest
    @ValueSource(longs = {-16, 8, 1, 16, Long.MIN_VALUE, Long.MAX_VALUE})
    void aConsumerPositionThatCannotBeIsRefused(long head) throws IOException {
        Ring ring = Ring.create(memory, Ring.Kind.SINGLE_CONSUMER);
        try (RingProducer producer = ring.producer()) {
            memory.set(ValueLayout.JAVA_LONG, RingLayout.HEAD, head);
            assertThatThrownBy(() -> {
                        while (producer.tryClaim(100) != RingProducer.FULL) {
                            producer.commit(1);
                            if (head == 16) {
                                // Where nothing begins, but could: the next lie is seen.
                                memory.set(ValueLayout.JAVA_LONG, RingLayout.HEAD, 1L << 40);
                            }
                        }
                    })
                    .isInstanceOf(RingException.class)
                    .hasMessageContaining("consumer");
        }
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "489, 1", "1000000000, 1", "1008, -1", "16, -1", "2147483647, 5", "-2147483648, 5"})
    void aRecordThatCannotBeIsAnException(int length, int type) throws IOException {
        Ring ring = Ring.create(memory, Ring.Kind.SINGLE_CONSUMER);
        try (RingConsumer consumer = ring.consumer()) {
            memory.set(ValueLayout.JAVA_INT, RingLayout.DATA + 8, length);
            memory.set(ValueLayout.JAVA_INT, RingLayout.DATA + 12, type);
            memory.set(ValueLayout.JAVA_LONG, RingLayout.DATA, 1L);
            assertThatThrownBy(() -> consumer.poll(new Records(), 1))
                    .isInstanceOf(RingException.class)
                    .hasMessageContaining("length " + Integer.toUnsignedString(length));
        }
    }

    @Test
    void positionsThatCannotBeAreRefusedByWhoTakesOver() throws IOException {
        Ring ring = Ring.create(memory, Ring.Kind.SINGLE_CONSUMER);
        memory.set(ValueLayout.JAVA_LONG, RingLayout.TAIL, 7);
        memory.set(ValueLayout.JAVA_LONG, RingLayout.HEAD, -16);
        assertThatThrownBy(ring::producer).isInstanceOf(RingException.class);
        assertThatThrownBy(ring::consumer).isInstanceOf(RingException.class);
    }

    @Test
    void aDeadProcessHasNoRoleAndIsMissed() throws Exception {
        Process gone = new ProcessBuilder("sleep", "60").start();
        try {
            Ring ring = Ring.create(memory, Ring.Kind.SINGLE_CONSUMER);
            long start = startTime(gone.pid());
            memory.set(ValueLayout.JAVA_LONG, RingLayout.PRODUCER, start << 32 | gone.pid());
            assertThatThrownBy(ring::producer).hasMessageContaining("process " + gone.pid());
            try (RingConsumer consumer = ring.consumer()) {
                consumer.spinFor(Duration.ZERO);
                assertThat(consumer.await(new Records(), 1, Duration.ofMillis(1)))
                        .isZero();
                gone.destroyForcibly();
                gone.waitFor();
                assertThatThrownBy(() -> consumer.await(new Records(), 1, Duration.ofMinutes(1)))
                        .isInstanceOfSatisfying(
                                PeerGoneException.class,
                                e -> assertThat(e.died()).isTrue())
                        .hasMessageContaining("no process " + gone.pid());
                // The same number, another process.
                memory.set(
                        ValueLayout.JAVA_LONG,
                        RingLayout.PRODUCER,
                        (start + 1) << 32 | ProcessHandle.current().pid());
                assertThatThrownBy(() -> consumer.await(new Records(), 1, Duration.ofMinutes(1)))
                        .isInstanceOf(PeerGoneException.class);
                ring.producer().close();
            }
        } finally {
            gone.destroyForcibly();
        }
    }

    private static long startTime(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[19]);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 0, 1, 512, 1023, 1025, 3000, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 41})
    void aCapacityThatCannotBeIsRefused(long capacity) throws IOException {
        try (Fd file = Fd.memfd("none", 0)) {
            assertThatThrownBy(() -> Ring.create(file, Ring.Kind.BROADCAST, capacity))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("power of two");
        }
    }

    @Test
    void memoryThatCannotHoldARingIsRefused() throws IOException {
        assertThatThrownBy(() -> Ring.create(MemorySegment.ofArray(new long[1000]), Ring.Kind.BROADCAST))
                .hasMessageContaining("native");
        assertThatThrownBy(() -> Ring.create(memory.asReadOnly(), Ring.Kind.BROADCAST))
                .hasMessageContaining("writable");
        assertThatThrownBy(() -> Ring.create(memory.asSlice(4), Ring.Kind.BROADCAST))
                .hasMessageContaining("multiple of 8");
        assertThatThrownBy(() -> Ring.create(memory.asSlice(0, 1500), Ring.Kind.BROADCAST))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Ring.attach(memory.asSlice(0, 100))).hasMessageContaining("no ring");
        assertThatThrownBy(() -> Ring.attach(memory)).hasMessageContaining("not yet created");
        Path file = Files.write(directory.resolve("short"), new byte[100]);
        try (Fd fd = Fd.open(file.toString(), Fd.O_RDWR)) {
            assertThatThrownBy(() -> Ring.attach(fd)).hasMessageContaining("100 bytes");
        }
    }
}
