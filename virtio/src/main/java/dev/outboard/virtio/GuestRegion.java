package dev.outboard.virtio;

import java.lang.foreign.MemorySegment;

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
}
