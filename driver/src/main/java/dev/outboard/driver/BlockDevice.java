package dev.outboard.driver;

import dev.outboard.memory.DmaMemory;
import java.io.IOException;

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

    @Override
    void close() throws IOException;
}
