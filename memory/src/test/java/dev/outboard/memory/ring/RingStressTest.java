package dev.outboard.memory.ring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.linux.Fd;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two threads that hammer one ring: every byte of every record is compared. Two processes: see RingProcessesTest. */
class RingStressTest {
    private static final long RECORDS = 1_000_000;

    @TempDir
    Path directory;

    private static CompletableFuture<String> reading(RingConsumer consumer) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return new OtherSide.Reading(consumer).all();
                    } catch (java.io.IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                },
                task -> Thread.ofPlatform().start(task));
    }

    @ParameterizedTest
    @ValueSource(ints = {1024, 1 << 16})
    void aMillionRecordsBetweenTwoThreadsAreRight(int capacity) throws Exception {
        try (Fd file = Fd.memfd("stress", 0);
                Ring ring = Ring.create(file, Ring.Kind.SINGLE_CONSUMER, capacity);
                Ring other = Ring.attach(file);
                RingConsumer consumer = other.consumer()) {
            CompletableFuture<String> read;
            try (RingProducer producer = ring.producer()) {
                read = reading(consumer);
                OtherSide.write(producer, RECORDS);
            }
            assertThat(read.get(1, TimeUnit.MINUTES)).isEqualTo(RECORDS + " records, 0 lost, next " + RECORDS);
        }
    }

    @Test
    void noWakeUpIsLostThoughBothSleepAtOnce() throws Exception {
        // A lost one would show as a sleep of a whole slice: so many records would take an hour.
        long records = 100_000;
        try (Fd file = Fd.memfd("stress", 0);
                Ring there = Ring.create(file, Ring.Kind.SINGLE_CONSUMER, 1024);
                Fd otherFile = Fd.memfd("stress", 0);
                Ring back = Ring.create(otherFile, Ring.Kind.SINGLE_CONSUMER, 1024);
                RingConsumer here = back.consumer();
                RingProducer out = there.producer();
                RingConsumer echoIn = there.consumer();
                RingProducer echoOut = back.producer()) {
            here.spinFor(Duration.ZERO);
            echoIn.spinFor(Duration.ZERO);
            Thread echo = Thread.ofPlatform().start(() -> {
                try {
                    for (long i = 0; i < records; i++) {
                        if (echoIn.await((type, memory, at, length) -> {}, 1, OtherSide.LONG_TIME) != 1) {
                            return;
                        }
                        echoOut.tryClaim(8);
                        echoOut.commit(1);
                    }
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            for (long i = 0; i < records; i++) {
                out.tryClaim(8);
                out.commit(1);
                // Less than a slice of sleep: only a wake-up comes in time, unless the machine is very busy.
                assertThat(here.await((type, memory, at, length) -> {}, 1, OtherSide.LONG_TIME))
                        .isEqualTo(1);
            }
            echo.join();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1 << 13, 1 << 17})
    void twoConsumersOfABroadcastRingReadNothingWrongAndCountWhatTheyLost(int capacity) throws Exception {
        try (Fd file = Fd.memfd("stress", 0);
                Ring ring = Ring.create(file, Ring.Kind.BROADCAST, capacity);
                Ring other = Ring.attach(file);
                RingConsumer first = other.consumer();
                RingConsumer second = other.consumer()) {
            CompletableFuture<String> firstRead;
            CompletableFuture<String> secondRead;
            try (RingProducer producer = ring.producer()) {
                firstRead = reading(first);
                secondRead = reading(second);
                OtherSide.write(producer, RECORDS);
            }
            for (CompletableFuture<String> read : java.util.List.of(firstRead, secondRead)) {
                String[] words = read.get(1, TimeUnit.MINUTES).split("[^0-9]+", -1);
                System.out.println(String.join(" ", words));
                assertThat(Long.parseLong(words[0]) + Long.parseLong(words[1])).isEqualTo(RECORDS);
                assertThat(Long.parseLong(words[2])).isEqualTo(RECORDS);
            }
        }
    }
}
