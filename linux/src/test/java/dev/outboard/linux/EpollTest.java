package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EpollTest {
    @Test
    void anEventTellsItsDataAndMask() throws IOException {
        try (Epoll epoll = Epoll.create();
                EventFd quiet = EventFd.create();
                EventFd loud = EventFd.create()) {
            epoll.add(quiet.fd(), Epoll.EPOLLIN, 1);
            epoll.add(loud.fd(), Epoll.EPOLLIN, 0xdead_beef_cafe_f00dL);
            assertThat(epoll.await(0)).isZero();
            loud.signal();
            assertThat(epoll.await(1000)).isEqualTo(1);
            assertThat(epoll.data(0)).isEqualTo(0xdead_beef_cafe_f00dL);
            assertThat(epoll.mask(0)).isEqualTo(Epoll.EPOLLIN);
        }
    }

    @Test
    void anEventHoldsUntilItIsRead() throws IOException {
        try (Epoll epoll = Epoll.create();
                EventFd event = EventFd.create()) {
            epoll.add(event.fd(), Epoll.EPOLLIN, 1);
            event.signal();
            assertThat(epoll.await(0)).isEqualTo(1);
            assertThat(epoll.await(0)).isEqualTo(1);
            event.read();
            assertThat(epoll.await(0)).isZero();
        }
    }

    @Test
    void manyEventsCarryTheirOwnData() throws IOException {
        List<EventFd> events = new ArrayList<>();
        try (Epoll epoll = Epoll.create()) {
            for (int i = 0; i < 50; i++) {
                EventFd event = EventFd.create();
                events.add(event);
                epoll.add(event.fd(), Epoll.EPOLLIN, 1000 + i);
                event.signal();
            }
            int ready = epoll.await(1000);
            Set<Long> seen = new HashSet<>();
            for (int i = 0; i < ready; i++) {
                seen.add(epoll.data(i));
            }
            assertThat(seen).hasSize(50).contains(1000L, 1049L);
        } finally {
            events.forEach(EventFd::close);
        }
    }

    @Test
    void aRemovedDescriptorIsSilent() throws IOException {
        try (Epoll epoll = Epoll.create();
                EventFd event = EventFd.create()) {
            epoll.add(event.fd(), Epoll.EPOLLIN, 1);
            event.signal();
            epoll.remove(event.fd());
            assertThat(epoll.await(0)).isZero();
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> epoll.remove(event.fd()))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
        }
    }

    @Test
    void addingTwiceIsRefused() throws IOException {
        try (Epoll epoll = Epoll.create();
                EventFd event = EventFd.create()) {
            epoll.add(event.fd(), Epoll.EPOLLIN, 1);
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> epoll.add(event.fd(), Epoll.EPOLLIN, 2))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
        }
    }

    @Test
    void aClosedDescriptorStaysInTheSetWhileADuplicateIsOpen() throws IOException {
        try (Epoll epoll = Epoll.create()) {
            EventFd event = EventFd.create();
            try (EventFd duplicate = EventFd.of(event.fd().duplicate())) {
                epoll.add(event.fd(), Epoll.EPOLLIN, 1);
                event.close();
                duplicate.signal();
                assertThat(epoll.await(0)).isEqualTo(1);
            }
            assertThat(epoll.await(0)).isZero();
        }
    }

    @Test
    void aPeerThatIsGoneIsReportedUnasked() throws IOException {
        List<UnixSocket> pair = UnixSocket.pair();
        try (Epoll epoll = Epoll.create();
                UnixSocket here = pair.getFirst()) {
            epoll.add(here.fd(), 0, 9);
            pair.getLast().close();
            assertThat(epoll.await(1000)).isEqualTo(1);
            assertThat(epoll.mask(0)).isEqualTo(Epoll.EPOLLHUP);
            assertThat(Poll.poll(here.fd(), 0, Duration.ZERO)).isEqualTo(Poll.POLLHUP);
            assertThat(Poll.readable(here.fd(), Duration.ZERO)).isTrue();
        }
    }

    @Test
    void closingWhileAnotherThreadWaitsIsHarmless() throws Exception {
        Epoll epoll = Epoll.create();
        Thread waiter = Thread.ofPlatform().start(() -> {
            try {
                epoll.await(200);
            } catch (LinuxException closed) {
                assertThat(closed.errno()).isEqualTo(Errno.EBADF);
            }
        });
        Thread.sleep(50);
        epoll.close();
        epoll.close();
        waiter.join();
        assertThatExceptionOfType(LinuxException.class).isThrownBy(() -> epoll.await(0));
    }

    @Test
    void pollTellsWhichEventsHold() throws IOException {
        List<UnixSocket> pair = UnixSocket.pair();
        try (UnixSocket here = pair.getFirst();
                UnixSocket there = pair.getLast();
                EventFd event = EventFd.create()) {
            int both = Poll.POLLIN | Poll.POLLOUT;
            assertThat(Poll.poll(here.fd(), both, Duration.ofSeconds(1))).isEqualTo(Poll.POLLOUT);
            assertThat(Poll.poll(here.fd(), Poll.POLLIN, Duration.ofMillis(1))).isZero();
            there.shutdown();
            assertThat(Poll.poll(here.fd(), both, Duration.ZERO) & Poll.POLLHUP).isNotZero();
            event.signal();
            assertThat(Poll.readable(event.fd(), ChronoUnit.FOREVER.getDuration()))
                    .isTrue();
        }
    }
}
