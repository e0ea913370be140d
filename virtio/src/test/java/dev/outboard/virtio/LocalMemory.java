package dev.outboard.virtio;

import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Memory of this process that a driver and a device in it share, at device addresses of its own. */
final class LocalMemory implements GuestMemory, GuestRegion, AutoCloseable {
    static final long ADDRESS = 0x4000_0000;
    static final int BYTES = 4 << 20;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment = arena.allocate(BYTES, DmaAllocator.CHUNK_BYTES);
    final DmaAllocator dma = DmaAllocator.within(new DmaMemory(segment, ADDRESS, () -> {}));
    boolean mapped = true;

    @Override
    public long address() {
        return ADDRESS;
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    @Override
    public boolean isMapped() {
        return mapped;
    }

    @Override
    public @Nullable GuestRegion readable(long address, long length) {
        long offset = address - ADDRESS;
        return mapped && offset >= 0 && length <= BYTES && offset <= BYTES - length ? this : null;
    }

    @Override
    public @Nullable GuestRegion writable(long address, long length) {
        return readable(address, length);
    }

    @Override
    public boolean read(long address, MemorySegment target) {
        return false;
    }

    @Override
    public boolean write(long address, MemorySegment source) {
        return false;
    }

    @Override
    public void close() {
        dma.close();
        arena.close();
    }
}
