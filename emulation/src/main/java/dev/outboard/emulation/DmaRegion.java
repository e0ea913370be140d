package dev.outboard.emulation;

import dev.outboard.virtio.GuestRegion;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A range of device addresses behind which there is memory of the client: what one DMA_MAP message brought. Offsets into
 * {@link #segment} are device addresses less {@link #address}.
 */
public final class DmaRegion implements GuestRegion {
    private final long address;
    private final long sizeBytes;
    private final MemorySegment segment;
    private final boolean readable;
    private final boolean writable;
    private final Arena arena;
    private boolean mapped = true;

    DmaRegion(long address, long sizeBytes, MemorySegment segment, boolean readable, boolean writable, Arena arena) {
        this.address = address;
        this.sizeBytes = sizeBytes;
        this.segment = segment;
        this.readable = readable;
        this.writable = writable;
        this.arena = arena;
    }

    /**
     * Where it starts.
     *
     * @return a device address
     */
    @Override
    public long address() {
        return address;
    }

    /**
     * Its size.
     *
     * @return bytes
     */
    public long sizeBytes() {
        return sizeBytes;
    }

    /**
     * The client's memory.
     *
     * @return the mapping; empty if the client mapped the range without a descriptor
     */
    @Override
    public MemorySegment segment() {
        return segment;
    }

    /**
     * Whether the client still maps it. A model that keeps a region looks before each use: the segment is dead once this
     * is false.
     *
     * @return false after DMA_UNMAP, or when the client is gone
     */
    @Override
    public boolean isMapped() {
        return mapped;
    }

    boolean overlaps(long start, long size) {
        return Long.compareUnsigned(start - address, sizeBytes) < 0 || Long.compareUnsigned(address - start, size) < 0;
    }

    /** Whether no byte of this region is outside of a range. */
    boolean isWithin(long start, long size) {
        long offset = address - start;
        return Long.compareUnsigned(sizeBytes, size) <= 0 && Long.compareUnsigned(offset, size - sizeBytes) <= 0;
    }

    /** Whether an address lies in this region. */
    boolean covers(long address) {
        return Long.compareUnsigned(address - this.address, sizeBytes) < 0;
    }

    /** How much of a range lies in this region, which covers its first address. */
    long remaining(long start, long length) {
        return Math.min(length, sizeBytes - (start - address));
    }

    /**
     * Whether the client passed a descriptor for this range, so that {@link #segment} is its memory.
     *
     * @return false if the range is reached by {@link DmaSpace#read} and {@link DmaSpace#write} alone
     */
    public boolean isShared() {
        return segment.byteSize() != 0;
    }

    boolean isReadable() {
        return readable;
    }

    boolean isWritable() {
        return writable;
    }

    void unmap() {
        if (mapped) {
            mapped = false;
            arena.close();
        }
    }

    @Override
    public String toString() {
        return "0x" + Long.toHexString(address) + "+0x" + Long.toHexString(sizeBytes) + (readable ? " readable" : "")
                + (writable ? " writable" : "");
    }
}
