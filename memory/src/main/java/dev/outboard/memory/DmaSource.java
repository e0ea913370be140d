package dev.outboard.memory;

import dev.outboard.linux.Fd;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Where a {@link DmaAllocator} has its memory from: what is mapped for a device by a {@link DmaMapper}, {@link HugePages},
 * or one piece that is there already. The allocator calls it from one thread at a time.
 */
public interface DmaSource extends AutoCloseable {
    /**
     * Supplies memory, contiguous for both sides.
     *
     * @param sizeBytes how much at least, from 1 on
     * @param limits what the device demands of so many bytes at its start
     * @return the memory, often more; closing it gives it back
     * @throws IOException if there is none; the message says what to do
     */
    DmaMemory supply(long sizeBytes, DmaLimits limits) throws IOException;

    /**
     * How much it can supply in one piece.
     *
     * @return bytes
     */
    default long largestBytes() {
        return Long.MAX_VALUE;
    }

    /**
     * Leaves device addresses out of what it maps from now on. A source whose addresses are those of memory that is there
     * has nothing to leave out.
     *
     * @param range the addresses
     * @throws IOException if something is mapped there
     */
    default void reserve(DmaAllocator.AddressRange range) throws IOException {
        // Nothing else is at memory's own addresses.
    }

    /**
     * Maps a file for the device.
     *
     * @param file a memfd or a file of a hugetlbfs, of whole pages
     * @param limits what the device demands
     * @param buffer the dma-buf that the file is the memory of, whose rules for the CPU's access then hold; null if none
     * @return the memory; closing it ends the mapping
     * @throws IOException if it cannot be mapped
     * @throws UnsupportedOperationException if the device's addresses cannot be chosen, unless told otherwise
     */
    default DmaMemory map(Fd file, DmaLimits limits, @Nullable DmaBuf buffer) throws IOException {
        throw new UnsupportedOperationException(
                "there is no IOMMU to map " + file.name() + " with; allocate memory here and copy");
    }

    /** Gives everything back that was supplied. Closing twice is harmless. */
    @Override
    void close();
}
