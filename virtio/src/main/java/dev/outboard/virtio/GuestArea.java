package dev.outboard.virtio;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A part of a virtqueue as the device finds it in the driver's memory: looked up again once it was unmapped. */
final class GuestArea extends RingArea {
    private final GuestMemory memory;
    private final long address;
    private final long bytes;
    private final boolean written;
    private @Nullable GuestRegion region;

    GuestArea(GuestMemory memory, long address, long bytes, boolean written) {
        super(MemorySegment.NULL);
        this.memory = memory;
        this.address = address;
        this.bytes = bytes;
        this.written = written;
    }

    /** Whether there is such memory. To be asked before each batch of accesses. */
    boolean isReachable() {
        GuestRegion known = region;
        return (known != null && known.isMapped()) || find();
    }

    private boolean find() {
        GuestRegion found = written ? memory.writable(address, bytes) : memory.readable(address, bytes);
        region = found;
        if (found == null) {
            return false;
        }
        segment = found.segment().asSlice(address - found.address(), bytes);
        return true;
    }
}
