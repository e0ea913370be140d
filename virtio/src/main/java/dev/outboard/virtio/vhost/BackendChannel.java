package dev.outboard.virtio.vhost;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Poll;
import dev.outboard.linux.StructView;
import dev.outboard.specs.vhostuser.BackendRequest;
import dev.outboard.specs.vhostuser.VhostUser;
import java.lang.foreign.Arena;
import java.time.Duration;

/**
 * Requests of the back end's own. None asks for a reply: while this side waited for one, the other might wait for this
 * one, with a request of its own.
 *
 * <p>The front end gives one end of a pair of sockets, or (User Mode Linux) of a pipe, which {@code write(2)} takes both.
 */
final class BackendChannel implements AutoCloseable {
    private final Fd fd;
    private final Arena arena = Arena.ofShared();
    private final StructView message = VhostUser.HEADER.allocate(arena, VhostUser.VRING_STATE.byteSize());
    private final StructView vring = VhostUser.VRING_STATE.view(message.trailing());

    /** Takes a descriptor over. */
    BackendChannel(Fd fd) {
        this.fd = fd;
        try {
            fd.setNonBlocking();
        } catch (LinuxException asItIs) {
            // Then looking before each write has to do.
        }
        message.set("flags", VhostUser.FLAGS_VERSION);
    }

    void send(BackendRequest request) {
        message.set("request", request.number()).set("size", 0);
        write(VhostUser.HEADER.byteSize());
    }

    void send(BackendRequest request, int queue) {
        message.set("request", request.number()).set("size", VhostUser.VRING_STATE.byteSize());
        vring.set("index", queue).set("num", 0);
        write(message.segment().byteSize());
    }

    private void write(long bytes) {
        try {
            // The front end can make it blocking again, and leave it full.
            if (Poll.writable(fd, Duration.ZERO)) {
                fd.write(message.segment().asSlice(0, bytes));
            }
        } catch (LinuxException gone) {
            // A front end that does not listen is not told; if it is gone, its other socket says so.
        }
    }

    @Override
    public void close() {
        fd.close();
        arena.close();
    }
}
