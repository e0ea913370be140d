package dev.outboard.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class UnixSocketTest {
    private final Arena arena = Arena.ofShared();
    private List<UnixSocket> pair = List.of();

    @BeforeEach
    void connect() throws LinuxException {
        pair = UnixSocket.pair();
    }

    @AfterEach
    void disconnect() {
        pair.forEach(UnixSocket::close);
        arena.close();
    }

    private UnixSocket here() {
        return pair.getFirst();
    }

    private UnixSocket there() {
        return pair.getLast();
    }

    private MemorySegment bytes(String text) {
        return arena.allocateFrom(JAVA_BYTE, text.getBytes(UTF_8));
    }

    @Test
    void bytesArriveInOrderInBothDirections() throws IOException {
        here().send(bytes("to there"), List.of());
        there().send(bytes("to here"), List.of());
        MemorySegment buffer = arena.allocate(100);
        UnixSocket.Received received = there().receive(buffer);
        assertThat(received.descriptors()).isEmpty();
        assertThat(buffer.asSlice(0, received.bytes()).mismatch(bytes("to there")))
                .isEqualTo(-1);
        assertThat(here().receive(buffer).bytes()).isEqualTo("to here".length());
    }

    @Test
    void aMessageLargerThanTheSocketBufferArrivesWhole() throws Exception {
        byte[] sent = new byte[3 << 20];
        new Random(1).nextBytes(sent);
        MemorySegment outgoing = arena.allocateFrom(JAVA_BYTE, sent);
        try (Fd file = Fd.memfd("with-large", 4096)) {
            Thread sender = Thread.ofPlatform().start(() -> {
                try {
                    here().send(outgoing, List.of(file));
                } catch (LinuxException e) {
                    throw new AssertionError(e);
                }
            });
            MemorySegment incoming = arena.allocate(sent.length);
            List<Fd> descriptors = new ArrayList<>();
            long at = 0;
            while (at < sent.length) {
                UnixSocket.Received received = there().receive(incoming.asSlice(at));
                assertThat(received.bytes()).isPositive();
                descriptors.addAll(received.descriptors());
                at += received.bytes();
            }
            sender.join();
            assertThat(incoming.mismatch(outgoing)).isEqualTo(-1);
            assertThat(descriptors).hasSize(1);
            descriptors.forEach(Fd::close);
        }
    }

    @Test
    void severalDescriptorsArriveInOrderAndLeadToTheSameFiles() throws IOException {
        List<Fd> sent = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Fd fd = Fd.memfd("passed-" + i, 4096);
            fd.pwrite(arena.allocateFrom(JAVA_INT, 100 + i), 0);
            sent.add(fd);
        }
        here().send(bytes("x"), sent);
        sent.forEach(Fd::close);
        List<Fd> received = there().receive(arena.allocate(10)).descriptors();
        assertThat(received).hasSize(5);
        MemorySegment content = arena.allocate(JAVA_INT);
        for (int i = 0; i < 5; i++) {
            Descriptors.assertClosedOnExec(received.get(i));
            received.get(i).pread(content, 0);
            assertThat(content.get(JAVA_INT, 0)).isEqualTo(100 + i);
        }
        received.forEach(Fd::close);
        assertThat(Descriptors.openTo("memfd:passed-")).isZero();
    }

    @Test
    void asManyDescriptorsAsTheKernelCarriesArriveAndOneMoreIsRefused() throws IOException {
        try (Fd fd = Fd.memfd("many", 4096)) {
            List<Fd> most = new ArrayList<>(java.util.Collections.nCopies(UnixSocket.MAXIMUM_DESCRIPTORS, fd));
            here().send(bytes("x"), most);
            List<Fd> received = there().receive(arena.allocate(10)).descriptors();
            received.forEach(Fd::close);
            assertThat(received).hasSize(UnixSocket.MAXIMUM_DESCRIPTORS);
            most.add(fd);
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> here().send(bytes("x"), most))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        }
    }

    @Test
    void descriptorsOfTwoMessagesAreNotMixed() throws IOException {
        try (Fd first = Fd.memfd("first", 1);
                Fd second = Fd.memfd("second", 1)) {
            here().send(bytes("a"), List.of(first));
            here().send(bytes("b"), List.of(second, second));
            MemorySegment buffer = arena.allocate(10);
            for (int expected = 1; expected <= 2; expected++) {
                UnixSocket.Received received = there().receive(buffer);
                received.descriptors().forEach(Fd::close);
                assertThat(received.bytes()).isEqualTo(1);
                assertThat(received.descriptors()).hasSize(expected);
            }
        }
    }

    @Test
    void aPeerThatClosedIsTheEndAndThenABrokenPipe() throws IOException {
        there().send(bytes("last"), List.of());
        there().close();
        MemorySegment buffer = arena.allocate(10);
        assertThat(here().receive(buffer).bytes()).isEqualTo(4);
        assertThat(here().receive(buffer).bytes()).isZero();
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> here().send(bytes("x"), List.of()))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EPIPE));
    }

    @Test
    void whatIsNotThereIsNotWaitedFor() throws IOException {
        MemorySegment buffer = arena.allocate(10);
        assertThat(there().receiveNow(buffer)).isNull();
        here().send(arena.allocateFrom("now"), List.of(here().fd()));
        UnixSocket.Received received = there().receiveNow(buffer);
        assertThat(received.bytes()).isEqualTo(4);
        assertThat(received.descriptors()).hasSize(1);
        try (UnixSocket same = UnixSocket.of(received.descriptors().getFirst())) {
            same.send(arena.allocateFrom("as the other"), List.of());
        }
        assertThat(there().receive(buffer).bytes()).isEqualTo(10);
        assertThat(there().receiveNow(buffer).bytes()).isEqualTo(3);
        assertThat(there().receiveNow(buffer)).isNull();
        here().close();
        assertThat(there().receiveNow(buffer).bytes()).isZero();
    }

    @Test
    void shutdownWakesWhoReceives() throws Exception {
        Thread receiver = Thread.ofPlatform().start(() -> {
            try {
                assertThat(here().receive(arena.allocate(1)).bytes()).isZero();
            } catch (LinuxException e) {
                throw new AssertionError(e);
            }
        });
        Thread.sleep(20);
        here().shutdown();
        assertThat(receiver.join(java.time.Duration.ofSeconds(10))).isTrue();
        here().shutdown();
        here().close();
        here().shutdown();
    }

    @Test
    void aBufferThatCannotBeUsedIsRefused() {
        MemorySegment heap = MemorySegment.ofArray(new byte[4]);
        assertThatIllegalArgumentException().isThrownBy(() -> here().send(arena.allocate(0), List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> here().send(heap, List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> here().receive(arena.allocate(0)));
        assertThatIllegalArgumentException().isThrownBy(() -> here().receive(heap));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> here().receive(arena.allocate(4).asReadOnly()));
    }

    @Test
    void aClosedSocketOrDescriptorIsNamed() throws IOException {
        Fd closed = Fd.memfd("closed", 1);
        closed.close();
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> here().send(bytes("x"), List.of(closed)))
                .withMessageContaining("memfd:closed");
        here().close();
        here().close();
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> here().receive(arena.allocate(1)))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBADF));
    }

    @Test
    @Timeout(20)
    void aPeerThatDoesNotReadEndsASendWithADeadline() throws IOException {
        List<UnixSocket> pair = UnixSocket.pair();
        try (Arena arena = Arena.ofConfined();
                UnixSocket socket = pair.get(0);
                UnixSocket peer = pair.get(1)) {
            MemorySegment much = arena.allocate(8 << 20);
            assertThatThrownBy(() -> socket.send(much, List.of(), Duration.ofMillis(50)))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT))
                    .hasMessageContaining("does not read");
            assertThat(Poll.readable(peer.fd(), Duration.ZERO)).isTrue();
        }
    }
}
