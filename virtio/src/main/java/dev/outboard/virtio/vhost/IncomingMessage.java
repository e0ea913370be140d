package dev.outboard.virtio.vhost;

import dev.outboard.linux.SocketMessage;
import dev.outboard.linux.StructView;
import dev.outboard.specs.vhostuser.VhostUser;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A message of vhost-user, as it comes. */
final class IncomingMessage extends SocketMessage {
    static final int HEADER_BYTES = (int) VhostUser.HEADER.byteSize();

    /** More than any message has that is understood here; what others have is read over. */
    static final int MAXIMUM_PAYLOAD_BYTES = 4096;

    private final StructView header;

    IncomingMessage(Arena arena) {
        this(arena.allocate(HEADER_BYTES + MAXIMUM_PAYLOAD_BYTES, Long.BYTES));
    }

    private IncomingMessage(MemorySegment bytes) {
        super(bytes, HEADER_BYTES, VhostUser.MAXIMUM_TABLE_REGIONS);
        header = VhostUser.HEADER.view(bytes);
    }

    @Override
    protected long size() {
        boolean understood = (flags() & VhostUser.FLAGS_VERSION_MASK) == VhostUser.FLAGS_VERSION;
        return understood ? HEADER_BYTES + header.get("size") : -1;
    }

    int request() {
        return (int) header.get("request");
    }

    int flags() {
        return (int) header.get("flags");
    }
}
