package dev.outboard.virtio.vhost;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vhostuser.VhostUser;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Collects the bytes of one message and its descriptors. Never waits for bytes that are not there yet, and never takes
 * more bytes than one message has, so that descriptors belong to the message that they came with.
 */
final class IncomingMessage {
    static final int HEADER_BYTES = (int) VhostUser.HEADER.byteSize();

    /** More than any message has that is understood here; what others have is read over. */
    static final int MAXIMUM_PAYLOAD_BYTES = 4096;

    /** What one {@link #receive} led to. */
    enum Progress {
        /** A message is complete. */
        MESSAGE,
        /** There is more to come. */
        PARTIAL,
        /** The peer closed the connection. */
        CLOSED,
        /** The peer sent something that no message starts with. */
        MALFORMED
    }

    private final MemorySegment bytes;
    private final StructView header;
    private final List<Fd> descriptors = new ArrayList<>();
    private long received;

    IncomingMessage(Arena arena) {
        bytes = arena.allocate(HEADER_BYTES + MAXIMUM_PAYLOAD_BYTES, Long.BYTES);
        header = VhostUser.HEADER.view(bytes);
    }

    /** Takes what is there of the message. */
    Progress receive(UnixSocket socket) throws LinuxException {
        while (true) {
            long end = received < HEADER_BYTES ? HEADER_BYTES : size();
            UnixSocket.Received part = socket.receiveNow(bytes.asSlice(received, end - received));
            if (part == null) {
                return Progress.PARTIAL;
            }
            descriptors.addAll(part.descriptors());
            if (part.bytes() == 0) {
                return Progress.CLOSED;
            }
            received += part.bytes();
            if (descriptors.size() > VhostUser.MAXIMUM_TABLE_REGIONS) {
                return Progress.MALFORMED;
            }
            if (received >= HEADER_BYTES) {
                if (!isUnderstood()) {
                    return Progress.MALFORMED;
                }
                if (received == size()) {
                    return Progress.MESSAGE;
                }
            }
        }
    }

    private boolean isUnderstood() {
        return (flags() & VhostUser.FLAGS_VERSION_MASK) == VhostUser.FLAGS_VERSION
                && header.get("size") <= MAXIMUM_PAYLOAD_BYTES;
    }

    private long size() {
        return HEADER_BYTES + header.get("size");
    }

    int request() {
        return (int) header.get("request");
    }

    int flags() {
        return (int) header.get("flags");
    }

    /** What follows the header of a message that is complete. */
    MemorySegment payload() {
        return bytes.asSlice(HEADER_BYTES, header.get("size"));
    }

    /** The message's descriptors. Those that are taken out of the list are the taker's, the others are closed. */
    List<Fd> descriptors() {
        return descriptors;
    }

    /** Done with the message: the next bytes begin another one. */
    void clear() {
        descriptors.forEach(Fd::close);
        descriptors.clear();
        received = 0;
    }
}
