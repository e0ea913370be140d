package dev.outboard.driver;

import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.util.Objects;

/**
 * What a driver of disks publishes: an array of blocks. Methods block until the device is done, and may be called from
 * any platform thread.
 */
public interface BlockDevice extends AutoCloseable {
    /**
     * The size of a block.
     *
     * @return bytes, a power of two
     */
    int blockSizeBytes();

    /**
     * How many blocks there are.
     *
     * @return the number, from 1
     */
    long blockCount();

    /**
     * Allocates memory that {@link #read} and {@link #write} use without copying.
     *
     * @param sizeBytes how much
     * @return the memory
     * @throws IOException if there is no more
     */
    DmaMemory allocate(long sizeBytes) throws IOException;

    /**
     * Reads blocks.
     *
     * @param firstBlock the first block
     * @param buffer where to; its size is a multiple of the block's
     * @throws IOException if the device fails; the buffer's contents are then undefined
     * @throws IndexOutOfBoundsException if the blocks are not all there
     */
    void read(long firstBlock, DmaMemory buffer) throws IOException;

    /**
     * Writes blocks.
     *
     * @param firstBlock the first block
     * @param buffer what to write; its size is a multiple of the block's
     * @throws IOException if the device fails; the blocks' contents are then undefined
     * @throws IndexOutOfBoundsException if the blocks are not all there
     */
    void write(long firstBlock, DmaMemory buffer) throws IOException;

    /**
     * Makes everything durable that was written before.
     *
     * @throws IOException if the device fails
     */
    void flush() throws IOException;

    /**
     * Whether {@link #trim} does anything.
     *
     * @return true if the device takes such hints
     */
    default boolean trims() {
        return false;
    }

    /**
     * Tells the device that blocks are not needed any more. A hint: what they read as afterwards is undefined until they
     * are written.
     *
     * @param firstBlock the first block
     * @param blocks how many
     * @throws IOException if the device fails
     * @throws IndexOutOfBoundsException if the blocks are not all there
     */
    default void trim(long firstBlock, long blocks) throws IOException {
        Objects.checkFromIndexSize(firstBlock, blocks, blockCount());
    }

    /**
     * Makes blocks zero, without a transfer if the device can.
     *
     * @param firstBlock the first block
     * @param blocks how many
     * @throws IOException if the device fails; the blocks' contents are then undefined
     * @throws IndexOutOfBoundsException if the blocks are not all there
     */
    default void writeZeroes(long firstBlock, long blocks) throws IOException {
        Objects.checkFromIndexSize(firstBlock, blocks, blockCount());
        if (blocks == 0) {
            return;
        }
        long step = Math.min(blocks, Math.max(1, BlockChannel.BUFFER_BYTES / blockSizeBytes()));
        try (DmaMemory zeroes = allocate(step * blockSizeBytes())) {
            zeroes.segment().fill((byte) 0);
            for (long done = 0; done < blocks; done += step) {
                write(firstBlock + done, zeroes.slice(0, Math.min(step, blocks - done) * blockSizeBytes()));
            }
        }
    }

    @Override
    void close() throws IOException;
}
