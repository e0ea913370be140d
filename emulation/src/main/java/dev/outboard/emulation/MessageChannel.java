package dev.outboard.emulation;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Poll;
import dev.outboard.linux.SocketMessage.Kept;
import dev.outboard.linux.SocketMessage.Progress;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vfiouser.VfioUser;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The messages on a connection: the client's commands, one at a time, and their replies; commands of our own, and the
 * client's replies to those. Commands of the client that come while a reply is waited for are kept, and taken up first
 * afterwards.
 */
final class MessageChannel implements AutoCloseable {
    static final int HEADER_BYTES = (int) VfioUser.HEADER.byteSize();

    /** The largest message: a region access with as much data as was agreed on. */
    static final int MAXIMUM_BYTES =
            HEADER_BYTES + (int) VfioUser.REGION_ACCESS_MESSAGE.byteSize() + VfioUser.DEFAULT_MAX_DATA_XFER_SIZE;

    /** A client that sends more than this while we wait for a reply of it is given up. */
    private static final long MOST_KEPT_BYTES = 4L * MAXIMUM_BYTES;

    private static final int MOST_KEPT_MESSAGES = 1024;

    /** How long a client may leave unread what it asked for: a device that waits for it serves nobody meanwhile. */
    static final Duration SEND_TIMEOUT = Duration.ofSeconds(5);

    private final UnixSocket socket;
    private final Arena arena = Arena.ofShared();
    private final IncomingMessage command = new IncomingMessage(arena);
    private final MemorySegment out = arena.allocate(MAXIMUM_BYTES, Long.BYTES);
    private final StructView replyHeader = VfioUser.HEADER.view(out);
    private final Deque<Kept> kept = new ArrayDeque<>();
    private long keptBytes;
    // What arrives while a command is carried out must not overwrite it.
    private @Nullable IncomingMessage beside;

    MessageChannel(UnixSocket socket) {
        this.socket = socket;
    }

    UnixSocket socket() {
        return socket;
    }

    /** The command that {@link #receive} completed. */
    IncomingMessage command() {
        return command;
    }

    /** Whether commands were kept, which no look at the socket tells of. */
    boolean hasKept() {
        return !kept.isEmpty();
    }

    /** Takes the next message, or what is there of it. */
    Progress receive() throws LinuxException {
        Kept oldest = kept.poll();
        if (oldest == null) {
            return command.receive(socket);
        }
        keptBytes -= oldest.bytes().byteSize();
        command.restore(oldest);
        return Progress.MESSAGE;
    }

    /** Where the payload of the reply is written before {@link #reply}; contents are left over from the last one. */
    MemorySegment replyPayload() {
        return out.asSlice(HEADER_BYTES);
    }

    void reply(long payloadBytes, List<Fd> attached) throws LinuxException {
        reply(payloadBytes, VfioUser.FLAGS_TYPE_REPLY, 0, attached);
    }

    void replyError(int errno) throws LinuxException {
        reply(0, VfioUser.FLAGS_TYPE_REPLY | VfioUser.FLAGS_ERROR, errno, List.of());
    }

    private void reply(long payloadBytes, int flags, int errno, List<Fd> attached) throws LinuxException {
        replyHeader
                .set("msg_id", command.header().get("msg_id"))
                .set("cmd", command.header().get("cmd"))
                .set("msg_size", HEADER_BYTES + payloadBytes)
                .set("flags", flags)
                .set("error_no", errno);
        socket.send(out.asSlice(0, HEADER_BYTES + payloadBytes), attached, SEND_TIMEOUT);
    }

    /**
     * Waits for the client's reply to a command of ours.
     *
     * @return the reply, to be cleared; null if none will come that makes sense
     */
    @Nullable
    IncomingMessage awaitReply(StructView sent, long deadlineNanos) throws LinuxException {
        IncomingMessage incoming = command.isComplete() ? beside() : command;
        while (true) {
            switch (incoming.receive(socket)) {
                case CLOSED, MALFORMED -> {
                    return null;
                }
                case PARTIAL -> {
                    if (!Poll.readable(socket.fd(), Duration.ofNanos(deadlineNanos - System.nanoTime()))) {
                        return null;
                    }
                }
                case MESSAGE -> {
                    if (incoming.type() != VfioUser.FLAGS_TYPE_COMMAND) {
                        return answers(incoming.header(), sent) ? incoming : null;
                    }
                    Kept later = incoming.keep();
                    kept.add(later);
                    keptBytes += later.bytes().byteSize();
                    if (keptBytes > MOST_KEPT_BYTES || kept.size() > MOST_KEPT_MESSAGES) {
                        return null;
                    }
                }
            }
        }
    }

    private IncomingMessage beside() {
        IncomingMessage other = beside;
        if (other == null) {
            other = new IncomingMessage(arena);
            beside = other;
        }
        return other;
    }

    private static boolean answers(StructView reply, StructView command) {
        return (reply.get("flags") & VfioUser.FLAGS_TYPE_MASK) == VfioUser.FLAGS_TYPE_REPLY
                && reply.get("msg_id") == command.get("msg_id")
                && reply.get("cmd") == command.get("cmd");
    }

    @Override
    public void close() {
        command.clear();
        IncomingMessage other = beside;
        if (other != null) {
            other.clear();
        }
        kept.forEach(message -> message.descriptors().forEach(Fd::close));
        kept.clear();
        socket.close();
        arena.close();
    }
}
