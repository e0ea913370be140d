package dev.outboard.virtio;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The driver's memory as a device sees it: by device address, with bounds checked. Only the thread that serves the device
 * uses it, so what it returns stays mapped until that thread unmaps it.
 */
public interface GuestMemory {
    /**
     * Finds shared memory that the device may read.
     *
     * @param address the first device address
     * @param length how much, in bytes
     * @return the region that all of it lies in, or null if there is none
     */
    @Nullable
    GuestRegion readable(long address, long length);

    /**
     * Finds shared memory that the device may write.
     *
     * @param address the first device address
     * @param length how much, in bytes
     * @return the region that all of it lies in, or null if there is none
     */
    @Nullable
    GuestRegion writable(long address, long length);

    /**
     * Reads memory, wherever it is: a range may go over from one region to the next, and need not be shared.
     *
     * @param address the first device address
     * @param target where to; all of it is filled
     * @return false if the device may not read all of the range; the target holds anything then
     */
    boolean read(long address, MemorySegment target);

    /**
     * Writes memory, wherever it is: a range may go over from one region to the next, and need not be shared.
     *
     * @param address the first device address
     * @param source what to write
     * @return false if the device may not write all of the range; a part may be written then
     */
    boolean write(long address, MemorySegment source);
}
