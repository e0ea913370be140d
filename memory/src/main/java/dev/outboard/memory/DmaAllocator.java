package dev.outboard.memory;

import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Allocates {@linkplain DmaMemory DMA memory} for one device. Memory is mapped for the device in chunks whose address and
 * size are multiples of 2 MiB (some vfio-user targets ignore others) and handed out in pieces, first fit.
 *
 * <p>Safe for use by several threads. Allocate up front: this is no hot path.
 */
public final class DmaAllocator implements AutoCloseable {
    /** Chunks are multiples of this, and lie at multiples of it. */
    public static final long CHUNK_BYTES = 2L << 20;

    /** The memory page size that alignment defaults to. */
    public static final long PAGE_BYTES = 4096;

    private static final long CACHE_LINE_BYTES = 64;

    /**
     * A range of device addresses that may be used.
     *
     * @param first the first address
     * @param last the last address
     */
    public record AddressRange(long first, long last) {}

    private record Chunk(Fd file, DmaMemory memory, NavigableMap<Long, Long> free) {}

    private final DmaMapper mapper;
    private final List<AddressRange> usable;
    private final Arena arena = Arena.ofShared();
    private final List<Chunk> chunks = new ArrayList<>();
    private boolean closed;

    /**
     * An allocator with nothing mapped so far.
     *
     * @param mapper maps chunks for the device
     * @param usable the device addresses that may be used, in order of preference
     */
    public DmaAllocator(DmaMapper mapper, List<AddressRange> usable) {
        this.mapper = mapper;
        this.usable = List.copyOf(usable);
    }

    /**
     * Allocates memory at a page boundary, zeroed.
     *
     * @param sizeBytes how much, at least 1
     * @return the memory
     * @throws IOException if no more can be mapped
     */
    public DmaMemory allocate(long sizeBytes) throws IOException {
        return allocate(sizeBytes, PAGE_BYTES);
    }

    /**
     * Allocates memory, zeroed.
     *
     * @param sizeBytes how much, at least 1
     * @param alignmentBytes a power of two; device address and segment are multiples of it
     * @return the memory
     * @throws IOException if no more can be mapped
     */
    public synchronized DmaMemory allocate(long sizeBytes, long alignmentBytes) throws IOException {
        if (closed) {
            throw new IllegalStateException("the device of this allocator is closed");
        }
        if (sizeBytes < 1 || Long.bitCount(alignmentBytes) != 1 || alignmentBytes > CHUNK_BYTES) {
            throw new IllegalArgumentException("cannot allocate " + sizeBytes + " bytes at multiples of "
                    + alignmentBytes + ": the size is at least 1, the alignment a power of two up to " + CHUNK_BYTES);
        }
        long size = alignUp(sizeBytes, CACHE_LINE_BYTES);
        for (Chunk chunk : chunks) {
            DmaMemory memory = take(chunk, size, sizeBytes, alignmentBytes);
            if (memory != null) {
                return memory;
            }
        }
        DmaMemory memory = take(addChunk(alignUp(size, CHUNK_BYTES)), size, sizeBytes, alignmentBytes);
        if (memory == null) {
            throw new AssertionError("a new chunk has no room for what it was made for");
        }
        return memory;
    }

    private @Nullable DmaMemory take(Chunk chunk, long size, long asked, long alignment) {
        for (Map.Entry<Long, Long> range : chunk.free.entrySet()) {
            long start = alignUp(range.getKey(), alignment);
            long end = range.getKey() + range.getValue();
            if (start + size <= end) {
                chunk.free.remove(range.getKey());
                putIfAny(chunk.free, range.getKey(), start);
                putIfAny(chunk.free, start + size, end);
                var segment = chunk.memory.segment().asSlice(start, asked).fill((byte) 0);
                return new DmaMemory(segment, chunk.memory.deviceAddress() + start, () -> give(chunk, start, size));
            }
        }
        return null;
    }

    private static void putIfAny(Map<Long, Long> free, long start, long end) {
        if (start < end) {
            free.put(start, end - start);
        }
    }

    private synchronized void give(Chunk chunk, long start, long size) {
        long first = start;
        long end = start + size;
        Map.Entry<Long, Long> before = chunk.free.floorEntry(start);
        if (before != null && before.getKey() + before.getValue() == start) {
            first = before.getKey();
        }
        Long after = chunk.free.remove(end);
        if (after != null) {
            end += after;
        }
        chunk.free.put(first, end - first);
    }

    private Chunk addChunk(long size) throws IOException {
        long deviceAddress = freeAddress(size);
        Fd file = Fd.memfd("outboard-dma", size);
        try {
            var segment = file.mmap(0, size, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
            mapper.map(file, segment, deviceAddress);
            NavigableMap<Long, Long> free = new TreeMap<>(Map.of(0L, size));
            Chunk chunk = new Chunk(file, new DmaMemory(segment, deviceAddress, () -> {}), free);
            chunks.add(chunk);
            return chunk;
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private long freeAddress(long size) throws IOException {
        for (AddressRange range : usable) {
            long start = alignUp(range.first(), CHUNK_BYTES);
            for (Chunk chunk : chunks) {
                long taken = chunk.memory.deviceAddress();
                if (taken >= range.first() && taken <= range.last()) {
                    start = Math.max(start, taken + chunk.memory.sizeBytes());
                }
            }
            if (Long.compareUnsigned(start, range.last()) < 0 && size - 1 <= range.last() - start) {
                return start;
            }
        }
        throw new IOException("no room for " + size + " bytes in the device addresses " + usable
                + "; close DMA memory that is no longer needed");
    }

    private static long alignUp(long value, long alignment) {
        return (value + alignment - 1) & -alignment;
    }

    /** Unmaps everything. The device must be quiet. The segments of all DMA memory of this allocator die with it. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            for (Chunk chunk : chunks.reversed()) {
                mapper.unmap(chunk.memory.deviceAddress(), chunk.memory.sizeBytes());
                chunk.file.close();
            }
            arena.close();
        }
    }
}
