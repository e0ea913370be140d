package dev.outboard.driver;

import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SeekableByteChannel;

/**
 * A {@link BlockDevice} as a channel of bytes: from any position, of any size, from and to any memory. Everything is
 * copied through one buffer; a block that is written in part is read before, so nobody else should write it meanwhile.
 * Calls of several threads take turns.
 */
public final class BlockChannel implements SeekableByteChannel {
    /** How much is copied at a time, if blocks are not larger. */
    static final int BUFFER_BYTES = 256 << 10;

    private final BlockDevice device;
    private final int blockBytes;
    private final long sizeBytes;
    private final DmaMemory buffer;
    private long position;
    private boolean closed;

    /**
     * Creates the view, and its buffer.
     *
     * @param device the device, which the channel does not close
     * @throws IOException if there is no memory
     */
    public BlockChannel(BlockDevice device) throws IOException {
        this.device = device;
        blockBytes = device.blockSizeBytes();
        sizeBytes = device.blockCount() * blockBytes;
        buffer = device.allocate(Math.min(sizeBytes, Math.max(BUFFER_BYTES, blockBytes)));
    }

    /**
     * Reads bytes.
     *
     * @param from the position of the first, in bytes
     * @param target where to; all of it
     * @throws IOException if the device fails
     * @throws IndexOutOfBoundsException if the bytes are not all there
     */
    public synchronized void read(long from, MemorySegment target) throws IOException {
        check(from, target);
        for (long done = 0; done < target.byteSize(); ) {
            Piece piece = Piece.of(this, from + done, target.byteSize() - done);
            device.read(piece.firstBlock, buffer.slice(0, piece.spanBytes));
            MemorySegment.copy(buffer.segment(), piece.offset, target, done, piece.length);
            done += piece.length;
        }
    }

    /**
     * Writes bytes. What is durable when is as of the device: see {@link #flush}.
     *
     * @param from the position of the first, in bytes
     * @param source what to write; all of it
     * @throws IOException if the device fails; the contents of the blocks are then undefined
     * @throws IndexOutOfBoundsException if the bytes are not all there
     */
    public synchronized void write(long from, MemorySegment source) throws IOException {
        check(from, source);
        for (long done = 0; done < source.byteSize(); ) {
            Piece piece = Piece.of(this, from + done, source.byteSize() - done);
            DmaMemory blocks = buffer.slice(0, piece.spanBytes);
            long lastAt = piece.spanBytes - blockBytes;
            boolean endsInside = piece.offset + piece.length < piece.spanBytes;
            if (piece.offset != 0 || (endsInside && lastAt == 0)) {
                device.read(piece.firstBlock, buffer.slice(0, blockBytes));
            }
            if (endsInside && lastAt != 0) {
                device.read(piece.firstBlock + lastAt / blockBytes, buffer.slice(lastAt, blockBytes));
            }
            MemorySegment.copy(source, done, buffer.segment(), piece.offset, piece.length);
            device.write(piece.firstBlock, blocks);
            done += piece.length;
        }
    }

    /** What one pass through the buffer transfers: {@code length} bytes from {@code offset} of some whole blocks. */
    private record Piece(long firstBlock, long offset, long length, long spanBytes) {
        static Piece of(BlockChannel channel, long from, long remaining) {
            long offset = from % channel.blockBytes;
            long length = Math.min(remaining, channel.buffer.sizeBytes() - offset);
            long span = (offset + length + channel.blockBytes - 1) & -channel.blockBytes;
            return new Piece(from / channel.blockBytes, offset, length, span);
        }
    }

    private void check(long from, MemorySegment memory) throws IOException {
        checkOpen();
        if (from < 0 || memory.byteSize() > sizeBytes - from) {
            throw new IndexOutOfBoundsException(
                    memory.byteSize() + " bytes from byte " + from + " are not all there: the device has " + sizeBytes);
        }
    }

    private void checkOpen() throws ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
    }

    @Override
    public synchronized int read(ByteBuffer target) throws IOException {
        checkOpen();
        if (position >= sizeBytes) {
            return -1;
        }
        int length = (int) Math.min(target.remaining(), sizeBytes - position);
        read(position, MemorySegment.ofBuffer(target).asSlice(0, length));
        target.position(target.position() + length);
        position += length;
        return length;
    }

    /**
     * Writes bytes at the position, as many as fit before the end of the device, which does not grow.
     *
     * @param source what to write
     * @return how many bytes were written
     * @throws IOException if the device fails, or the position is at its end
     */
    @Override
    public synchronized int write(ByteBuffer source) throws IOException {
        checkOpen();
        int length = Math.clamp(sizeBytes - position, 0, source.remaining());
        if (length == 0 && source.hasRemaining()) {
            throw new IOException("position " + position + " is at the end of the device, which has " + sizeBytes
                    + " bytes and does not grow");
        }
        write(position, MemorySegment.ofBuffer(source).asSlice(0, length));
        source.position(source.position() + length);
        position += length;
        return length;
    }

    @Override
    public synchronized long position() throws ClosedChannelException {
        checkOpen();
        return position;
    }

    @Override
    public synchronized BlockChannel position(long newPosition) throws ClosedChannelException {
        checkOpen();
        if (newPosition < 0) {
            throw new IllegalArgumentException("a position is not negative, as " + newPosition + " is");
        }
        position = newPosition;
        return this;
    }

    @Override
    public synchronized long size() throws ClosedChannelException {
        checkOpen();
        return sizeBytes;
    }

    /**
     * A device keeps its size.
     *
     * @param size what it cannot become, unless it is no less than its size
     * @return this
     * @throws UnsupportedOperationException if it is less
     */
    @Override
    public BlockChannel truncate(long size) {
        if (size < sizeBytes) {
            throw new UnsupportedOperationException("a device of " + sizeBytes + " bytes cannot become shorter");
        }
        return this;
    }

    /**
     * Makes everything durable that was written before.
     *
     * @throws IOException if the device fails
     */
    public synchronized void flush() throws IOException {
        checkOpen();
        device.flush();
    }

    @Override
    public synchronized boolean isOpen() {
        return !closed;
    }

    /** Gives the buffer back; the device stays open. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            buffer.close();
        }
    }
}
