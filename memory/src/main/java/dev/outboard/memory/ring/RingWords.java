package dev.outboard.memory.ring;

import static dev.outboard.memory.ring.RingLayout.INT;
import static dev.outboard.memory.ring.RingLayout.LONG;

import dev.outboard.linux.unchecked.AddressSpace;
import java.lang.foreign.MemorySegment;

/**
 * The words of a ring, by address: what a segment checks at each access would cost as much as the cache line's way from
 * core to core. Bounds are checked here, liveness once an operation, by {@link #checkOpen}; a file's mapping stays good
 * after that as long as it can be reached, and other memory must outlive the ring.
 */
final class RingWords {
    private static final MemorySegment ADDRESS_SPACE = AddressSpace.SEGMENT;

    /** Keeps the address good. */
    private final MemorySegment memory;

    private final long address;
    private final long lastLong;
    private volatile boolean closed;

    RingWords(MemorySegment memory) {
        this.memory = memory;
        address = memory.address();
        lastLong = memory.byteSize() - Long.BYTES;
    }

    MemorySegment memory() {
        return memory;
    }

    void close() {
        closed = true;
    }

    void checkOpen() {
        if (closed || !memory.scope().isAlive()) {
            throw new IllegalStateException("the ring is closed");
        }
    }

    private long at(long offset) {
        if (offset < 0 || offset > lastLong) {
            throw new IndexOutOfBoundsException("0x" + Long.toHexString(offset) + " is not in the ring's memory");
        }
        return address + offset;
    }

    long get(long offset) {
        return (long) LONG.get(ADDRESS_SPACE, at(offset));
    }

    long getOpaque(long offset) {
        return (long) LONG.getOpaque(ADDRESS_SPACE, at(offset));
    }

    long getAcquire(long offset) {
        return (long) LONG.getAcquire(ADDRESS_SPACE, at(offset));
    }

    int getIntOpaque(long offset) {
        return (int) INT.getOpaque(ADDRESS_SPACE, at(offset));
    }

    void set(long offset, long value) {
        LONG.set(ADDRESS_SPACE, at(offset), value);
    }

    void setOpaque(long offset, long value) {
        LONG.setOpaque(ADDRESS_SPACE, at(offset), value);
    }

    void setRelease(long offset, long value) {
        LONG.setRelease(ADDRESS_SPACE, at(offset), value);
    }
}
