package dev.outboard.virtio;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** A range of device addresses behind which there is memory that driver and device share. */
public interface GuestRegion {
    /**
     * Where it starts.
     *
     * @return a device address
     */
    long address();

    /**
     * The memory. Offsets into it are device addresses less {@link #address}.
     *
     * @return the mapping, which begins on a page
     */
    MemorySegment segment();

    /**
     * Whether it is still mapped. Who keeps a region looks before each use: the segment is dead once this is false.
     *
     * @return false after it was unmapped
     */
    boolean isMapped();

    /**
     * Whether all of a range lies in this region.
     *
     * @param start its first device address
     * @param length its size, in bytes
     * @return whether it can be accessed through {@link #segment}, as far as bounds go
     */
    default boolean contains(long start, long length) {
        return contains(address(), segment().byteSize(), start, length);
    }

    /**
     * Whether all of one range lies in another. Unsigned: what a client says may have the top bit set.
     *
     * @param base the other's first address
     * @param size the other's size, in bytes, not negative
     * @param start its first address
     * @param length its size, in bytes; a negative one lies nowhere
     * @return whether it does
     */
    static boolean contains(long base, long size, long start, long length) {
        return length >= 0 && length <= size && Long.compareUnsigned(start - base, size - length) <= 0;
    }

    /**
     * Finds where an address is among regions.
     *
     * @param sorted regions by address, unsigned
     * @param address the address
     * @return the index of the first region that starts above it, which is their number if none does
     */
    static int firstAbove(List<? extends GuestRegion> sorted, long address) {
        int low = 0;
        int high = sorted.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(sorted.get(middle).address(), address) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
