package dev.outboard.linux;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Collects the bytes of one message and its descriptors, for protocols whose messages say their size in a header. Never
 * waits for bytes that are not there yet, and never takes more bytes than one message has, so that descriptors belong to
 * the message that they came with.
 */
public abstract class SocketMessage {
    private final MemorySegment bytes;
    private final int headerBytes;
    private final int maximumDescriptors;
    private final List<Fd> descriptors = new ArrayList<>();
    private long received;

    /** What one {@link #receive} led to. */
    public enum Progress {
        /** A message is complete. */
        MESSAGE,
        /** There is more to come. */
        PARTIAL,
        /** The peer closed the connection. */
        CLOSED,
        /** The peer sent something that no message starts with. */
        MALFORMED
    }

    /**
     * A message that is kept for later, outside of the buffer.
     *
     * @param bytes header and payload
     * @param descriptors what came with it
     */
    public record Kept(MemorySegment bytes, List<Fd> descriptors) {}

    /**
     * Nothing yet.
     *
     * @param bytes the buffer, as large as the largest message
     * @param headerBytes the size of the header
     * @param maximumDescriptors how many descriptors a message has at most
     */
    protected SocketMessage(MemorySegment bytes, int headerBytes, int maximumDescriptors) {
        this.bytes = bytes;
        this.headerBytes = headerBytes;
        this.maximumDescriptors = maximumDescriptors;
    }

    /**
     * The size of the message whose header is there, as the peer says.
     *
     * @return bytes, with the header; -1 if no message has that header
     */
    protected abstract long size();

    /**
     * Takes what is there of the message.
     *
     * @param socket where from
     * @return what that led to
     * @throws LinuxException if the socket failed
     */
    public final Progress receive(UnixSocket socket) throws LinuxException {
        while (true) {
            long end = received < headerBytes ? headerBytes : size();
            UnixSocket.Received part = socket.receiveNow(bytes.asSlice(received, end - received));
            if (part == null) {
                return Progress.PARTIAL;
            }
            descriptors.addAll(part.descriptors());
            if (part.bytes() == 0) {
                return Progress.CLOSED;
            }
            received += part.bytes();
            if (descriptors.size() > maximumDescriptors) {
                return Progress.MALFORMED;
            }
            if (received >= headerBytes) {
                if (size() < headerBytes || size() > bytes.byteSize()) {
                    return Progress.MALFORMED;
                }
                if (isComplete()) {
                    return Progress.MESSAGE;
                }
            }
        }
    }

    /**
     * Whether all of the message is there.
     *
     * @return false while there is more to come
     */
    public final boolean isComplete() {
        return received >= headerBytes && received == size();
    }

    /**
     * What follows the header of a message that is complete.
     *
     * @return a part of the buffer
     */
    public final MemorySegment payload() {
        return bytes.asSlice(headerBytes, size() - headerBytes);
    }

    /**
     * The message's descriptors. Those that are closed or taken out of the list are the taker's, the others are closed.
     *
     * @return the list itself
     */
    public final List<Fd> descriptors() {
        return descriptors;
    }

    /**
     * Takes a message that is complete out of the buffer, whose next bytes begin another one.
     *
     * @return a copy, which has the descriptors now
     */
    public final Kept keep() {
        Kept kept = new Kept(MemorySegment.ofArray(new byte[(int) received]), List.copyOf(descriptors));
        kept.bytes.copyFrom(bytes.asSlice(0, received));
        descriptors.clear();
        received = 0;
        return kept;
    }

    /**
     * Puts a message back; the buffer holds nothing.
     *
     * @param kept the message
     */
    public final void restore(Kept kept) {
        received = kept.bytes.byteSize();
        bytes.asSlice(0, received).copyFrom(kept.bytes);
        descriptors.addAll(kept.descriptors);
    }

    /** Done with the message: the next bytes begin another one. */
    public final void clear() {
        descriptors.forEach(Fd::close);
        descriptors.clear();
        received = 0;
    }
}
