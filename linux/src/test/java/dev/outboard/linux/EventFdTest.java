package dev.outboard.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class EventFdTest {
    private static final long MAXIMUM = -2; // 2^64 - 2

    @Test
    void readReturnsTheCountAndClearsIt() throws IOException {
        try (EventFd event = EventFd.create()) {
            assertThat(event.read()).isZero();
            event.signal();
            event.signal();
            event.signal();
            assertThat(event.read()).isEqualTo(3);
            assertThat(event.read()).isZero();
        }
    }

    @Test
    void awaitEndsInTimeWithZero() throws IOException {
        try (EventFd event = EventFd.create()) {
            long begin = System.nanoTime();
            assertThat(event.await(Duration.ofMillis(30))).isZero();
            assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(30));
        }
    }

    @Test
    void awaitIsWokenByAnotherThread() throws Exception {
        try (EventFd event = EventFd.create()) {
            CompletableFuture<Long> count = new CompletableFuture<>();
            Thread waiter = Thread.ofPlatform().start(() -> {
                try {
                    count.complete(event.await(Duration.ofSeconds(20)));
                } catch (LinuxException e) {
                    count.completeExceptionally(e);
                }
            });
            Thread.sleep(20);
            event.signal();
            assertThat(count.get(10, TimeUnit.SECONDS)).isEqualTo(1);
            waiter.join();
        }
    }

    @Test
    void aSaturatedCounterStaysSignalled() throws IOException {
        try (EventFd event = EventFd.create();
                Arena arena = Arena.ofConfined()) {
            event.fd().write(arena.allocateFrom(JAVA_LONG, MAXIMUM));
            event.signal();
            assertThat(event.read()).isEqualTo(MAXIMUM);
            assertThat(event.read()).isZero();
        }
    }

    @Test
    void aTakenOverCounterIsTheSameCounter() throws IOException {
        try (EventFd made = EventFd.create();
                EventFd takenOver = EventFd.of(made.fd().duplicate())) {
            made.signal();
            assertThat(takenOver.await(Duration.ofSeconds(1))).isEqualTo(1);
            assertThat(made.read()).isZero();
        }
    }

    @Test
    void closingWhileAnotherThreadWaitsIsHarmless() throws Exception {
        EventFd event = EventFd.create();
        Thread waiter = Thread.ofPlatform().start(() -> {
            try {
                event.await(Duration.ofMillis(200));
            } catch (LinuxException closed) {
                assertThat(closed.errno()).isEqualTo(Errno.EBADF);
            }
        });
        Thread.sleep(50);
        event.close();
        event.close();
        waiter.join();
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(event::signal)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBADF));
        assertThatExceptionOfType(LinuxException.class).isThrownBy(event::read);
    }

    /** What a peer gives instead of a counter may be anything that can be full. */
    @Test
    @Timeout(20)
    void signallingWhatAPeerGaveNeverBlocks() throws IOException {
        List<UnixSocket> pair = UnixSocket.pair();
        try (UnixSocket peer = pair.get(1);
                EventFd event = EventFd.of(pair.get(0).fd())) {
            int signals = 0;
            while (Poll.writable(event.fd(), Duration.ZERO)) {
                event.signal();
                signals++;
            }
            event.signal();
            assertThat(signals).isPositive();
            assertThat(Poll.readable(peer.fd(), Duration.ZERO)).isTrue();
        }
    }
}
