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
 * Collects the bytes of one message and its descriptors. Never waits for bytes that are not there yet, and never takes
 * more bytes than one message has, so that descriptors belong to the message that they came with.
 */
final class IncomingMessage {
    private final MemorySegment bytes;
    private final StructView header;
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

    /** A message that is kept for later, outside of the buffer. */
    record Kept(MemorySegment bytes, List<Fd> descriptors) {}

    IncomingMessage(Arena arena) {
        bytes = arena.allocate(MessageChannel.MAXIMUM_BYTES, Long.BYTES);
        header = VfioUser.HEADER.view(bytes);
    }

    /** Takes what is there of the message. */
    Progress receive(UnixSocket socket) throws LinuxException {
        while (true) {
            long end = received < MessageChannel.HEADER_BYTES ? MessageChannel.HEADER_BYTES : size();
            UnixSocket.Received part = socket.receiveNow(bytes.asSlice(received, end - received));
            if (part == null) {
                return Progress.PARTIAL;
            }
            descriptors.addAll(part.descriptors());
            if (part.bytes() == 0) {
                return Progress.CLOSED;
            }
            received += part.bytes();
            if (descriptors.size() > UnixSocket.MAXIMUM_DESCRIPTORS) {
                return Progress.MALFORMED;
            }
            if (received >= MessageChannel.HEADER_BYTES) {
                if (size() < MessageChannel.HEADER_BYTES || size() > MessageChannel.MAXIMUM_BYTES) {
                    return Progress.MALFORMED;
                }
                if (isComplete()) {
                    return Progress.MESSAGE;
                }
            }
        }
    }

    private long size() {
        return header.get("msg_size");
    }

    boolean isComplete() {
        return received >= MessageChannel.HEADER_BYTES && received == size();
    }

    StructView header() {
        return header;
    }

    int type() {
        return (int) header.get("flags") & VfioUser.FLAGS_TYPE_MASK;
    }

    boolean isError() {
        return (header.get("flags") & VfioUser.FLAGS_ERROR) != 0;
    }

    /** What follows the header of a message that is complete. */
    MemorySegment payload() {
        return bytes.asSlice(MessageChannel.HEADER_BYTES, size() - MessageChannel.HEADER_BYTES);
    }

    /** The message's descriptors. Those that are closed or taken out of the list are the taker's, the others are closed. */
    List<Fd> descriptors() {
        return descriptors;
    }

    /** Takes a message that is complete out of the buffer, whose next bytes begin another one. */
    Kept keep() {
        Kept kept = new Kept(MemorySegment.ofArray(new byte[(int) received]), List.copyOf(descriptors));
        kept.bytes.copyFrom(bytes.asSlice(0, received));
        descriptors.clear();
        received = 0;
        return kept;
    }

    /** Puts a message back; the buffer holds nothing. */
    void restore(Kept kept) {
        received = kept.bytes.byteSize();
        bytes.asSlice(0, received).copyFrom(kept.bytes);
        descriptors.addAll(kept.descriptors);
    }

    /** Done with the message: the next bytes begin another one. */
    void clear() {
        descriptors.forEach(Fd::close);
        descriptors.clear();
        received = 0;
    }
}
