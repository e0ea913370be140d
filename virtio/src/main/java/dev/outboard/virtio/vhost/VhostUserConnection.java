package dev.outboard.virtio.vhost;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Poll;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vhostuser.Request;
import dev.outboard.specs.vhostuser.VhostUser;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The front end's requests to a back end, one at a time, and its replies. Safe for use by several threads. */
final class VhostUserConnection implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED;

    private final String name;
    private final UnixSocket socket;
    private final Arena arena = Arena.ofShared();
    private final IncomingMessage reply = new IncomingMessage(arena);
    private final MemorySegment out =
            arena.allocate(IncomingMessage.HEADER_BYTES + IncomingMessage.MAXIMUM_PAYLOAD_BYTES, Long.BYTES);
    private boolean acknowledges;
    private boolean closed;

    VhostUserConnection(String name, UnixSocket socket) {
        this.name = name;
        this.socket = socket;
    }

    /** From now on each request without a reply of its own is answered. */
    synchronized void acknowledge() {
        acknowledges = true;
    }

    /** Asks for what has a reply, which is returned. */
    synchronized byte[] ask(Request request, byte[] payload) throws IOException {
        send(request, 0, payload, List.of());
        return receive(request);
    }

    /** Asks for a number. */
    long askNumber(Request request) throws IOException {
        byte[] answer = ask(request, new byte[0]);
        if (answer.length != U64.byteSize()) {
            throw wrong(request, "is " + answer.length + " bytes long");
        }
        return MemorySegment.ofArray(answer).get(U64, 0);
    }

    /** Has something done; returns once it is. */
    synchronized void tell(Request request, byte[] payload, List<Fd> descriptors) throws IOException {
        send(request, acknowledges ? VhostUser.FLAGS_NEED_REPLY : 0, payload, descriptors);
        if (!acknowledges) {
            // A back end takes one request after the other, so it has done this one when it answers the next.
            askNumber(Request.GET_FEATURES);
            return;
        }
        byte[] answer = receive(request);
        if (answer.length != U64.byteSize() || MemorySegment.ofArray(answer).get(U64, 0) != 0) {
            throw new DeviceException("the back end at " + name + " refused " + request + "; its log may say why");
        }
    }

    private void send(Request request, int flags, byte[] payload, List<Fd> descriptors) throws IOException {
        if (closed) {
            throw gone(null);
        }
        VhostUser.HEADER
                .view(out)
                .set("request", request.number())
                .set("flags", VhostUser.FLAGS_VERSION | flags)
                .set("size", payload.length);
        MemorySegment.copy(payload, 0, out, ValueLayout.JAVA_BYTE, IncomingMessage.HEADER_BYTES, payload.length);
        try {
            socket.send(out.asSlice(0, IncomingMessage.HEADER_BYTES + payload.length), descriptors);
        } catch (LinuxException e) {
            throw gone(e);
        }
    }

    private byte[] receive(Request request) throws IOException {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        try {
            while (true) {
                switch (reply.receive(socket)) {
                    case PARTIAL -> await(request, deadline);
                    case MESSAGE -> {
                        return answer(request);
                    }
                    case MALFORMED -> throw wrong(request, "is no message");
                    case CLOSED -> throw gone(null);
                }
            }
        } catch (LinuxException e) {
            throw gone(e);
        } finally {
            reply.clear();
        }
    }

    private byte[] answer(Request request) throws DeviceException {
        if (reply.request() != request.number() || (reply.flags() & VhostUser.FLAGS_REPLY) == 0) {
            throw wrong(request, "is one to something else");
        }
        return reply.payload().toArray(ValueLayout.JAVA_BYTE);
    }

    private void await(Request request, long deadlineNanos) throws IOException {
        Duration left = Duration.ofNanos(Math.max(0, deadlineNanos - System.nanoTime()));
        if (!Poll.readable(socket.fd(), left)) {
            // A reply that comes later would be taken for that to another request.
            socket.shutdown();
            throw new DeviceTimeoutException("the back end at " + name + " did not answer " + request + " within "
                    + TIMEOUT.toSeconds() + " s; does it serve another front end?");
        }
    }

    private DeviceException wrong(Request request, String what) {
        // What comes next belongs to nothing.
        socket.shutdown();
        return new DeviceException("the reply of the back end at " + name + " to " + request + " " + what);
    }

    private DeviceGoneException gone(@Nullable Throwable cause) {
        return new DeviceGoneException(
                "the back end at " + name + " is gone; open the device again once it is there", cause);
    }

    /** That the back end is still there: it says nothing unasked, but ends the connection when it goes. */
    synchronized void checkPresent() throws IOException {
        if (closed || Poll.readable(socket.fd(), Duration.ZERO)) {
            throw gone(null);
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            socket.close();
            arena.close();
        }
    }
}
