package dev.outboard.emulation;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vfiouser.VfioUser;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The messages on a connection, one at a time: collects the bytes of one message and its descriptors, sends replies.
 * Never waits for bytes that are not there yet, and never takes more bytes than one message has, so that descriptors
 * belong to the message that they came with.
 */
final class MessageChannel implements AutoCloseable {
    static final int HEADER_BYTES = (int) VfioUser.HEADER.byteSize();

    /** The largest message: a region access with as much data as was agreed on. */
    static final int MAXIMUM_BYTES =
            HEADER_BYTES + (int) VfioUser.REGION_ACCESS_MESSAGE.byteSize() + VfioUser.DEFAULT_MAX_DATA_XFER_SIZE;

    private final UnixSocket socket;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment in = arena.allocate(MAXIMUM_BYTES, Long.BYTES);
    private final MemorySegment out = arena.allocate(MAXIMUM_BYTES, Long.BYTES);
    private final StructView header = VfioUser.HEADER.view(in);
    private final StructView replyHeader = VfioUser.HEADER.view(out);
    private final List<Fd> descriptors = new ArrayList<>();
    private long received;

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

    MessageChannel(UnixSocket socket) {
        this.socket = socket;
    }

    UnixSocket socket() {
        return socket;
    }

    /** Takes what is there of the current message; call it when the socket is readable. */
    Progress receive() throws LinuxException {
        long end = received < HEADER_BYTES ? HEADER_BYTES : header.get("msg_size");
        UnixSocket.Received part = socket.receive(in.asSlice(received, end - received));
        descriptors.addAll(part.descriptors());
        if (part.bytes() == 0) {
            return Progress.CLOSED;
        }
        received += part.bytes();
        if (received < HEADER_BYTES) {
            return Progress.PARTIAL;
        }
        long size = header.get("msg_size");
        if (size < HEADER_BYTES || size > MAXIMUM_BYTES || descriptors.size() > UnixSocket.MAXIMUM_DESCRIPTORS) {
            return Progress.MALFORMED;
        }
        return received == size ? Progress.MESSAGE : Progress.PARTIAL;
    }

    StructView header() {
        return header;
    }

    /** What follows the header of the message that is complete. */
    MemorySegment payload() {
        return in.asSlice(HEADER_BYTES, header.get("msg_size") - HEADER_BYTES);
    }

    /** The message's descriptors. Those that are closed or taken out of the list are the taker's, the others are closed. */
    List<Fd> descriptors() {
        return descriptors;
    }

    /** Where the payload of the reply is written before {@link #reply}; contents are left over from the last one. */
    MemorySegment replyPayload() {
        return out.asSlice(HEADER_BYTES);
    }

    void reply(long payloadBytes, List<Fd> attached) throws LinuxException {
        send(payloadBytes, VfioUser.FLAGS_TYPE_REPLY, 0, attached);
    }

    void replyError(int errno) throws LinuxException {
        send(0, VfioUser.FLAGS_TYPE_REPLY | VfioUser.FLAGS_ERROR, errno, List.of());
    }

    private void send(long payloadBytes, int flags, int errno, List<Fd> attached) throws LinuxException {
        replyHeader
                .set("msg_id", header.get("msg_id"))
                .set("cmd", header.get("cmd"))
                .set("msg_size", HEADER_BYTES + payloadBytes)
                .set("flags", flags)
                .set("error_no", errno);
        socket.send(out.asSlice(0, HEADER_BYTES + payloadBytes), attached);
    }

    /** Done with the message: the next bytes begin another one. */
    void next() {
        descriptors.forEach(Fd::close);
        descriptors.clear();
        received = 0;
    }

    @Override
    public void close() {
        next();
        socket.close();
        arena.close();
    }
}
