package dev.outboard.emulation.nvme;

import dev.outboard.emulation.DmaRegion;
import dev.outboard.emulation.DmaSpace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The memory of a queue as one segment: the client's own if it is shared, else a copy, of which entries are read before
 * and written after their use by messages that the client answers.
 */
final class QueueMemory {
    private final DmaSpace dma;
    private final long address;
    private final long sizeBytes;
    private final boolean written;
    private @Nullable DmaRegion region;
    private @Nullable MemorySegment copy;
    private MemorySegment segment = MemorySegment.NULL;
    private long base;

    /** Memory that the controller reads, or else writes. */
    QueueMemory(DmaSpace dma, long address, long sizeBytes, boolean written) {
        this.dma = dma;
        this.address = address;
        this.sizeBytes = sizeBytes;
        this.written = written;
    }

    /** Whether the client maps it now; to be asked before the others. */
    boolean isMapped() {
        DmaRegion known = region;
        return (known != null && known.isMapped()) || locate();
    }

    private boolean locate() {
        DmaRegion found = written ? dma.writable(address, sizeBytes) : dma.readable(address, sizeBytes);
        region = found;
        if (found != null) {
            segment = found.segment();
            base = address - found.address();
            return true;
        }
        if (written ? !dma.isWritable(address, sizeBytes) : !dma.isReadable(address, sizeBytes)) {
            return false;
        }
        MemorySegment own = copy;
        if (own == null) {
            own = Arena.ofAuto().allocate(sizeBytes, Long.BYTES);
            copy = own;
        }
        segment = own;
        base = 0;
        return true;
    }

    MemorySegment segment() {
        return segment;
    }

    /** Where the queue starts in the segment. */
    long base() {
        return base;
    }

    /** Makes sure that the segment holds what the client has at an offset of it. False if the client does not say. */
    boolean load(long at, long bytes) {
        return region != null || dma.read(address + at, segment.asSlice(at, bytes));
    }

    /** Makes sure that the client gets what the segment holds at an offset. False if the client refuses. */
    boolean store(long at, long bytes) {
        return region != null || dma.write(address + at, segment.asSlice(at, bytes));
    }
}
