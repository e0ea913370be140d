package dev.outboard.emulation;

import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.vfiouser.VfioUser;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The memory of a client that it does not let us map: DMA_READ and DMA_WRITE, which the client answers. Each call waits
 * for the client, so a device is as slow as its client then.
 */
final class ClientMemory implements AutoCloseable {
    /** How long a client may take for an answer. */
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private static final int MESSAGE_IDS = 1 << Short.SIZE;
    private static final long HEAD_BYTES = VfioUser.DMA_ACCESS_MESSAGE.byteSize();

    private final MessageChannel channel;
    private final long mostBytes;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment out;
    private final StructView header;
    private final StructView access;
    private int nextId;
    private boolean lost;

    /**
     * Asks over a channel.
     *
     * @param channel where commands go; stays the caller's
     * @param maxDataXferSize how much data the client takes with one message
     */
    ClientMemory(MessageChannel channel, long maxDataXferSize) {
        this.channel = channel;
        mostBytes = Math.min(maxDataXferSize, VfioUser.DEFAULT_MAX_DATA_XFER_SIZE);
        out = arena.allocate(MessageChannel.HEADER_BYTES + HEAD_BYTES + mostBytes, Long.BYTES);
        header = VfioUser.HEADER.view(out);
        access = VfioUser.DMA_ACCESS_MESSAGE.view(out.asSlice(MessageChannel.HEADER_BYTES));
    }

    /** Whether the client left, did not answer, or answered what makes no sense: the connection is over. */
    boolean isLost() {
        return lost;
    }

    /** Reads; false if the client refuses or is lost. */
    boolean read(long address, MemorySegment target, long offset, long length) {
        for (long done = 0; done < length; ) {
            long count = Math.min(mostBytes, length - done);
            IncomingMessage reply = call(VfioUser.DMA_READ, address + done, count, 0);
            if (reply == null) {
                return false;
            }
            MemorySegment payload = reply.payload();
            boolean refused = reply.isError();
            // What else it says, it said before.
            if (!refused && payload.byteSize() == HEAD_BYTES + count) {
                MemorySegment.copy(payload, HEAD_BYTES, target, offset + done, count);
            } else if (!refused) {
                lost = true;
            }
            reply.clear();
            if (refused || lost) {
                return false;
            }
            done += count;
        }
        return true;
    }

    /** Writes; false if the client refuses or is lost. */
    boolean write(long address, MemorySegment source, long offset, long length) {
        for (long done = 0; done < length; ) {
            long count = Math.min(mostBytes, length - done);
            MemorySegment.copy(source, offset + done, access.trailing(), 0, count);
            IncomingMessage reply = call(VfioUser.DMA_WRITE, address + done, count, count);
            if (reply == null) {
                return false;
            }
            // Its payload is not looked at: QEMU sends none, others 12 or 16 bytes.
            boolean refused = reply.isError();
            reply.clear();
            if (refused) {
                return false;
            }
            done += count;
        }
        return true;
    }

    private @Nullable IncomingMessage call(int command, long address, long count, long dataBytes) {
        if (lost) {
            return null;
        }
        long size = MessageChannel.HEADER_BYTES + HEAD_BYTES + dataBytes;
        header.set("msg_id", nextId)
                .set("cmd", command)
                .set("msg_size", size)
                .set("flags", VfioUser.FLAGS_TYPE_COMMAND)
                .set("error_no", 0);
        nextId = (nextId + 1) % MESSAGE_IDS;
        access.set("addr", address).set("count", count);
        IncomingMessage reply = null;
        try {
            channel.socket().send(out.asSlice(0, size), List.of(), TIMEOUT);
            reply = channel.awaitReply(header, System.nanoTime() + TIMEOUT.toNanos());
        } catch (LinuxException gone) {
            // As if it had not answered.
        }
        lost = reply == null;
        return reply;
    }

    @Override
    public void close() {
        arena.close();
    }
}
