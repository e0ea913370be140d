package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vfiouser.VersionCapabilities;
import dev.outboard.specs.vfiouser.VfioUser;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * VERSION: what the client proposed, and what it is answered.
 *
 * @param client what the client said of itself
 * @param replyBytes the size of the reply
 * @param twin the socket for commands of our own, if the client can do with one; its other end goes with the reply
 */
record Negotiation(
        VersionCapabilities client,
        long replyBytes,
        @Nullable UnixSocket twin) {
    /** How many descriptors the server announces to take; QEMU calls more than 16 malformed. */
    private static final int MAX_MSG_FDS = 16;

    /** Reads the proposal and writes the reply; {@code attached} is to be closed once it was sent. */
    static Negotiation of(MemorySegment request, MemorySegment reply, List<Fd> attached)
            throws ErrorReply, LinuxException {
        StructView asked = Payload.view(VfioUser.VERSION_MESSAGE, request);
        if (asked.get("major") != VfioUser.VERSION_MAJOR) {
            throw new ErrorReply(Errno.EINVAL);
        }
        VersionCapabilities client;
        try {
            client = VersionCapabilities.parse(asked.trailing().toArray(ValueLayout.JAVA_BYTE));
        } catch (IllegalArgumentException e) {
            throw new ErrorReply(Errno.EINVAL, e);
        }
        UnixSocket twin = null;
        if (client.twinSocket() && client.maxMsgFds() > 0) {
            List<UnixSocket> pair = UnixSocket.pair();
            twin = pair.getFirst();
            attached.add(pair.getLast().fd());
        }
        byte[] json = capabilities(client, twin != null).toBytes();
        StructView answer = VfioUser.VERSION_MESSAGE
                .view(reply)
                .set("major", VfioUser.VERSION_MAJOR)
                // QEMU proposes 0.0, and takes nothing newer than what it proposed.
                .set("minor", Math.min(asked.get("minor"), VfioUser.VERSION_MINOR));
        MemorySegment.copy(json, 0, answer.trailing(), ValueLayout.JAVA_BYTE, 0, json.length);
        return new Negotiation(client, VfioUser.VERSION_MESSAGE.byteSize() + json.length, twin);
    }

    /** "The capability list must be a subset of those proposed"; limits are none that one could do without. */
    private static VersionCapabilities capabilities(VersionCapabilities client, boolean twin) {
        return new VersionCapabilities(
                MAX_MSG_FDS,
                VfioUser.DEFAULT_MAX_DATA_XFER_SIZE,
                VfioUser.DEFAULT_MAX_DMA_MAPS,
                DmaSpace.PAGE_BYTES,
                client.writeMultiple(),
                twin,
                twin ? 0 : VersionCapabilities.NO_INDEX);
    }
}
