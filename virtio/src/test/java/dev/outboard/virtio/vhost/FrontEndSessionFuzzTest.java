package dev.outboard.virtio.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.outboard.linux.Epoll;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vhostuser.Request;
import dev.outboard.specs.vhostuser.VhostUser;
import dev.outboard.specs.virtio.VirtioFeature;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * What a front end may send, found by a fuzzer that sees which code each input reaches. Without {@code JAZZER_FUZZ=1} it
 * is an ordinary test, of the inputs in the resources.
 */
class FrontEndSessionFuzzTest {
    private static final int NEGOTIATED = 1;
    private static final int WITH_MEMORY = 2;
    private static final int WITH_EVENT = 4;
    private static final int WITH_QUEUE = 8;
    private static final int SPLIT = 16;
    private static final int MOST_BYTES = 16 << 10;
    private static final long MEMORY_BYTES = 0x10000;
    private static final long ADDRESS = 0x1000;

    /** The first byte says in what state the others meet the session; nothing that it throws may leave it. */
    @FuzzTest(maxDuration = "5s")
    void aSessionTakesAnyBytes(byte[] input) throws IOException {
        if (input.length == 0 || input.length > MOST_BYTES) {
            return;
        }
        int how = input[0];
        byte[] bytes = Arrays.copyOfRange(input, 1, input.length);
        List<UnixSocket> pair = UnixSocket.pair();
        try (EchoDevice device = new EchoDevice();
                UnixSocket frontEnd = pair.getLast();
                Epoll epoll = Epoll.create();
                Fd memory = Fd.memfd("fuzz", MEMORY_BYTES);
                EventFd event = EventFd.create();
                FrontEndSession session =
                        new FrontEndSession(device, new VhostUserOptions(0, true), pair.getFirst(), epoll, 0);
                Feed feed = new Feed(session, frontEnd)) {
            if ((how & NEGOTIATED) != 0) {
                feed.negotiate();
            }
            if ((how & WITH_QUEUE) != 0) {
                feed.startQueue(memory, event.fd());
            }
            Fd[] files = (how & WITH_MEMORY) != 0
                    ? new Fd[] {memory}
                    : (how & WITH_EVENT) != 0 ? new Fd[] {event.fd()} : new Fd[0];
            int cut = (how & SPLIT) != 0 ? bytes.length / 2 : bytes.length;
            feed.send(Arrays.copyOf(bytes, cut), files);
            feed.send(Arrays.copyOfRange(bytes, cut, bytes.length));
            assertThat(device.queueCount()).isEqualTo(EchoDevice.QUEUES);
        }
    }

    /** Has a session take bytes and its device work, and drops what it answers, until it has had enough. */
    private static final class Feed implements AutoCloseable {
        private final FrontEndSession session;
        private final UnixSocket frontEnd;
        private final Arena arena = Arena.ofConfined();
        private boolean open = true;

        Feed(FrontEndSession session, UnixSocket frontEnd) {
            this.session = session;
            this.frontEnd = frontEnd;
        }

        void negotiate() throws IOException {
            send(request(
                    Request.SET_PROTOCOL_FEATURES,
                    TestFrontEnd.number(session.device().offeredProtocolFeatures())));
            send(request(
                    Request.SET_FEATURES,
                    TestFrontEnd.number(VirtioFeature.VERSION_1 | VhostUser.FEATURE_PROTOCOL_FEATURES)));
        }

        void startQueue(Fd memory, Fd kick) throws IOException {
            send(
                    request(
                            Request.SET_MEM_TABLE,
                            TestFrontEnd.table(TestFrontEnd.region(ADDRESS, MEMORY_BYTES, ADDRESS, 0))),
                    memory);
            send(request(Request.SET_VRING_NUM, TestFrontEnd.bytes(0, 4)));
            send(request(
                    Request.SET_VRING_ADDR, TestFrontEnd.addresses(0, ADDRESS, ADDRESS + 0x1000, ADDRESS + 0x2000)));
            send(request(Request.SET_VRING_KICK, TestFrontEnd.number(0)), kick);
        }

        private static byte[] request(Request request, byte[] payload) {
            return TestFrontEnd.message(request.number(), VhostUser.FLAGS_VERSION, payload);
        }

        void send(byte[] bytes, Fd... descriptors) throws IOException {
            if (!open || bytes.length == 0) {
                return;
            }
            frontEnd.send(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), List.of(descriptors));
            // No message is shorter than a header, so there are no more of them than that.
            for (int message = 0; message <= bytes.length / IncomingMessage.HEADER_BYTES + 1; message++) {
                open = session.receive();
                if (!open) {
                    return;
                }
                session.device().doWork();
                session.device().setNotifying(message % 2 == 0);
                drain();
            }
        }

        private void drain() throws LinuxException {
            MemorySegment dropped = arena.allocate(IncomingMessage.MAXIMUM_PAYLOAD_BYTES);
            UnixSocket.Received received = frontEnd.receiveNow(dropped);
            while (received != null && received.bytes() > 0) {
                received = frontEnd.receiveNow(dropped);
            }
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
