package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.outboard.emulation.DmaRegion;
import dev.outboard.emulation.DmaSpace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A part of a list in the host's memory, of PRP entries or SGL descriptors: where it lies, or a copy if it is not shared. */
final class HostList {
    /** How much of a list can be looked at at once. */
    static final long MAXIMUM_BYTES = DmaSpace.PAGE_BYTES;

    private final DmaSpace dma;
    private @Nullable MemorySegment copy;
    private MemorySegment segment = MemorySegment.NULL;
    // From addresses to offsets in the segment.
    private long base;

    HostList(DmaSpace dma) {
        this.dma = dma;
    }

    /** Looks at another part, of at most {@link #MAXIMUM_BYTES}. False if the controller may not read it. */
    boolean open(long address, long bytes) {
        DmaRegion region = dma.readable(address, bytes);
        if (region != null) {
            segment = region.segment();
            base = -region.address();
            return true;
        }
        MemorySegment own = copy;
        if (own == null) {
            own = Arena.ofAuto().allocate(MAXIMUM_BYTES, Long.BYTES);
            copy = own;
        }
        segment = own;
        base = -address;
        return dma.read(address, own, 0, bytes);
    }

    /** The word at an address of the part. */
    long word(long address) {
        return segment.get(JAVA_LONG_UNALIGNED, base + address);
    }
}
