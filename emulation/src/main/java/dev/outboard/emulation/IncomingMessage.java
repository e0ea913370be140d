package dev.outboard.emulation;

import dev.outboard.linux.SocketMessage;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vfiouser.VfioUser;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A message of vfio-user, as it comes. */
final class IncomingMessage extends SocketMessage {
    private final StructView header;

    IncomingMessage(Arena arena) {
        this(arena.allocate(MessageChannel.MAXIMUM_BYTES, Long.BYTES));
    }

    private IncomingMessage(MemorySegment bytes) {
        super(bytes, MessageChannel.HEADER_BYTES, UnixSocket.MAXIMUM_DESCRIPTORS);
        header = VfioUser.HEADER.view(bytes);
    }

    @Override
    protected long size() {
        return header.get("msg_size");
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
}
