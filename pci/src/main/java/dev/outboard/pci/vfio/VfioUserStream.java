package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Poll;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vfiouser.VfioUser;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Messages over a stream socket. Any thread may send; one thread receives. */
final class VfioUserStream implements AutoCloseable {
    private static final long HEADER_BYTES = VfioUser.HEADER.byteSize();
    /** The longest message that makes sense: a DMA access of the size that we agreed to. */
    private static final long MAXIMUM_MESSAGE_BYTES =
            HEADER_BYTES + VfioUser.DMA_ACCESS_MESSAGE.byteSize() + VfioUser.DEFAULT_MAX_DATA_XFER_SIZE;
    /**
     * How much is sent at once. A Unix socket says that it is writable when three quarters of its buffer (208 KiB unless
     * tuned) are free, so a piece of this size does not block then.
     */
    private static final long PIECE_BYTES = 64 << 10;

    /** A message that came. The descriptors belong to who gets it. */
    record Message(StructView header, MemorySegment body, List<Fd> descriptors) {}

    private final String name;
    private final UnixSocket socket;
    private final ReentrantLock sending = new ReentrantLock();

    VfioUserStream(String name, UnixSocket socket) {
        this.name = name;
        this.socket = socket;
    }

    /**
     * Sends a message.
     *
     * @throws TimeoutException if the peer does not read; the stream is spoilt then
     */
    void send(int id, int command, int flags, int errno, MemorySegment body, List<Fd> descriptors, long deadline)
            throws LinuxException, TimeoutException {
        try (Arena arena = Arena.ofConfined()) {
            long size = HEADER_BYTES + body.byteSize();
            StructView header = VfioUser.HEADER.allocate(arena, body.byteSize());
            header.set("msg_id", id)
                    .set("cmd", command)
                    .set("msg_size", size)
                    .set("flags", flags)
                    .set("error_no", errno);
            header.trailing().copyFrom(body);
            lockUntil(deadline);
            try {
                for (long sent = 0; sent < size; sent += PIECE_BYTES) {
                    if (Poll.poll(socket.fd(), Poll.POLLOUT, Duration.ofNanos(deadline - System.nanoTime())) == 0) {
                        throw new TimeoutException(name + " does not read");
                    }
                    MemorySegment piece = header.segment().asSlice(sent, Math.min(PIECE_BYTES, size - sent));
                    socket.send(piece, sent == 0 ? descriptors : List.of());
                }
            } finally {
                sending.unlock();
            }
        }
    }

    private void lockUntil(long deadline) throws TimeoutException {
        boolean interrupted = false;
        boolean locked = false;
        while (!locked) {
            try {
                locked = sending.tryLock(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (!locked) {
                    throw new TimeoutException(name + " is busy with another message");
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Waits for a message.
     *
     * @return the message; null if the peer closed the connection between two messages
     * @throws DeviceException if what came is no message
     */
    @Nullable
    Message receive() throws LinuxException, DeviceException {
        List<Fd> descriptors = new ArrayList<>();
        boolean complete = false;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment headerBytes = arena.allocate(HEADER_BYTES, Long.BYTES);
            // The header alone at first: what one call receives can then belong to one message only, so the descriptors
            // that come with it do too.
            if (!receive(headerBytes, descriptors, true)) {
                return null;
            }
            StructView header = VfioUser.HEADER.view(MemorySegment.ofArray(headerBytes.toArray(ValueLayout.JAVA_BYTE)));
            long size = header.get("msg_size");
            if (size < HEADER_BYTES || size > MAXIMUM_MESSAGE_BYTES) {
                throw new DeviceException("the server sent a message ("
                        + VfioUser.commandName((int) header.get("cmd")) + ") of " + size
                        + " bytes; there are from " + HEADER_BYTES + " to " + MAXIMUM_MESSAGE_BYTES);
            }
            MemorySegment body = MemorySegment.ofArray(new byte[(int) (size - HEADER_BYTES)]);
            MemorySegment piece = arena.allocate(Math.max(1, Math.min(body.byteSize(), PIECE_BYTES)));
            for (long at = 0; at < body.byteSize(); at += piece.byteSize()) {
                MemorySegment part = piece.asSlice(0, Math.min(piece.byteSize(), body.byteSize() - at));
                receive(part, descriptors, false);
                MemorySegment.copy(part, 0, body, at, part.byteSize());
            }
            complete = true;
            return new Message(header, body, List.copyOf(descriptors));
        } finally {
            if (!complete) {
                descriptors.forEach(Fd::close);
            }
        }
    }

    /** Fills a buffer; false if the connection ended before its first byte, where that is no error. */
    private boolean receive(MemorySegment buffer, List<Fd> descriptors, boolean mayEnd)
            throws LinuxException, DeviceException {
        long filled = 0;
        while (filled < buffer.byteSize()) {
            UnixSocket.Received received = socket.receive(buffer.asSlice(filled));
            descriptors.addAll(received.descriptors());
            if (received.bytes() == 0) {
                if (mayEnd && filled == 0) {
                    return false;
                }
                throw new DeviceException("the server closed the connection in the middle of a message");
            }
            if (descriptors.size() > UnixSocket.MAXIMUM_DESCRIPTORS) {
                throw new DeviceException("the server sent " + descriptors.size() + " descriptors with one message");
            }
            filled += received.bytes();
        }
        return true;
    }

    /** Ends the connection; who sends or receives finds out. */
    void shutdown() {
        socket.shutdown();
    }

    @Override
    public void close() {
        socket.close();
    }
}
