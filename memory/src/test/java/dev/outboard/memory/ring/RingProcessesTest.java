package dev.outboard.memory.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.outboard.linux.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rings between processes: Java and Java, Java and Python, both ways. */
@Tag("emulated")
@SuppressWarnings("try") // Closing early is what is tested.
class RingProcessesTest {
    private static final long JAVA_RECORDS = 2_000_000;
    private static final long PYTHON_RECORDS = 20_000;

    @TempDir
    Path directory;

    private Path path() {
        return directory.resolve("ring");
    }

    private Ring create(Ring.Kind kind, long capacity) throws IOException {
        try (Fd file = Fd.open(path().toString(), Fd.O_RDWR | Fd.O_CREAT, 0600)) {
            return Ring.create(file, kind, capacity);
        }
    }

    private static void assumePython() {
        assumeTrue(Files.isExecutable(OtherSide.PYTHON), "no /usr/bin/python3: install the Debian package python3");
    }

    private OtherSide other(String language, String role, long count, long spinNanos) throws IOException {
        String[] arguments = {role, path().toString(), Long.toString(count), Long.toString(spinNanos)};
        return language.equals("python")
                ? OtherSide.python(directory, arguments)
                : OtherSide.java(directory, arguments);
    }

    private static long records(String language) {
        if (language.equals("python")) {
            assumePython();
            return PYTHON_RECORDS;
        }
        return JAVA_RECORDS;
    }

    @ParameterizedTest
    @CsvSource({"java, 65536, 20000", "java, 1024, 0", "python, 65536, 20000", "python, 1024, 0"})
    void recordsFromHereToThereAreRight(String language, int capacity, long spinNanos) throws Exception {
        long count = records(language);
        try (Ring ring = create(Ring.Kind.SINGLE_CONSUMER, capacity);
                RingProducer producer = ring.producer();
                OtherSide other = other(language, "read", count, spinNanos)) {
            producer.spinFor(Duration.ofNanos(spinNanos));
            OtherSide.write(producer, count);
            producer.close();
            assertThat(other.result()).isEqualTo(count + " records, 0 lost, next " + count);
        }
    }

    @ParameterizedTest
    @CsvSource({"java, 65536, 20000", "java, 1024, 0", "python, 65536, 20000", "python, 1024, 0"})
    void recordsFromThereToHereAreRight(String language, int capacity, long spinNanos) throws Exception {
        long count = records(language);
        try (Ring ring = create(Ring.Kind.SINGLE_CONSUMER, capacity);
                RingConsumer consumer = ring.consumer();
                OtherSide other = other(language, "write", count, spinNanos)) {
            consumer.spinFor(Duration.ofNanos(spinNanos));
            assertThat(new OtherSide.Reading(consumer).all()).isEqualTo(count + " records, 0 lost, next " + count);
            other.result();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "python"})
    void whatABroadcastConsumerThereLosesItCounts(String language) throws Exception {
        long count = records(language);
        try (Ring ring = create(Ring.Kind.BROADCAST, 8192);
                RingProducer producer = ring.producer();
                OtherSide other = other(language, "read", count, 20_000)) {
            OtherSide.write(producer, count);
            producer.close();
            String[] words = other.result().split("[^0-9]+", -1);
            // It came when some were written already; those it has not lost.
            assertThat(Long.parseLong(words[2])).isIn(0L, count);
            assertThat(Long.parseLong(words[0]) + Long.parseLong(words[1])).isLessThanOrEqualTo(count);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "python"})
    void whatABroadcastConsumerHereLosesItCounts(String language) throws Exception {
        long count = records(language);
        try (Ring ring = create(Ring.Kind.BROADCAST, 8192);
                RingConsumer consumer = ring.consumer();
                OtherSide other = other(language, "write", count, 20_000)) {
            String[] words = new OtherSide.Reading(consumer).all().split("[^0-9]+", -1);
            other.result();
            assertThat(Long.parseLong(words[0]) + Long.parseLong(words[1])).isEqualTo(count);
            assertThat(Long.parseLong(words[2])).isEqualTo(count);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "python"})
    void aProducerThatIsKilledIsMissed(String language) throws Exception {
        records(language);
        try (Ring ring = create(Ring.Kind.SINGLE_CONSUMER, 1 << 16);
                RingConsumer consumer = ring.consumer();
                OtherSide other = other(language, "write", Long.MAX_VALUE, 0)) {
            OtherSide.Reading reading = new OtherSide.Reading(consumer);
            assertThat(consumer.await(reading, 64, OtherSide.LONG_TIME)).isPositive();
            other.kill();
            assertThatThrownBy(() -> {
                        while (consumer.await(reading, 64, OtherSide.LONG_TIME) > 0) {}
                    })
                    .isInstanceOfSatisfying(
                            PeerGoneException.class, e -> assertThat(e.died()).isTrue());
            // And the next one goes on.
            try (RingProducer next = ring.producer()) {
                next.tryClaim(0);
                next.commit(1);
                assertThat(consumer.poll((type, memory, at, length) -> {}, 1)).isEqualTo(1);
            }
        }
    }

    @Test
    void pythonCreatesARingAndRefusesWhatIsNone() throws Exception {
        assumePython();
        try (OtherSide other = OtherSide.python(directory, "create", path().toString(), "0", "0")) {
            assertThat(other.result()).isEqualTo("created");
        }
        try (Fd file = Fd.open(path().toString(), Fd.O_RDWR);
                Ring ring = Ring.attach(file)) {
            assertThat(ring.kind()).isEqualTo(Ring.Kind.BROADCAST);
            assertThat(ring.capacityBytes()).isEqualTo(4096);
        }
        try (OtherSide other = OtherSide.python(directory, "lies", path().toString(), "0", "0")) {
            assertThat(other.result()).isEqualTo("refused 8");
        }
    }
}
