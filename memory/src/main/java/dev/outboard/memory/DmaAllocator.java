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
     * @param first the first address, unsigned
     * @param last the last address, unsigned
     */
    public record AddressRange(long first, long last) {
        /** Checks that the range has a first address. */
        public AddressRange {
            if (!isAtMost(first, last)) {
                throw new IllegalArgumentException(
                        "0x" + Long.toHexString(first) + " is above 0x" + Long.toHexString(last));
            }
        }

        @Override
        public String toString() {
            return "0x" + Long.toHexString(first) + "-0x" + Long.toHexString(last);
        }
    }

    /** A file that is mapped as a whole, until its arena closes, and what is free of it: sizes by their start. */
    private record Chunk(Fd file, Arena arena, DmaMemory memory, NavigableMap<Long, Long> free) {
        private long first() {
            return memory.deviceAddress();
        }

        private long last() {
            return memory.deviceAddress() + memory.sizeBytes() - 1;
        }
    }

    private final DmaMapper mapper;
    private final List<AddressRange> usable;
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
     * @param alignmentBytes a power of two, at most 2 MiB; the device address is a multiple of it, and so is the
     *     segment's up to a page
     * @return the memory
     * @throws IOException if no more can be mapped
     */
    public synchronized DmaMemory allocate(long sizeBytes, long alignmentBytes) throws IOException {
        if (closed) {
            throw new IllegalStateException("the device of this allocator is closed");
        }
        boolean aligns = Long.bitCount(alignmentBytes) == 1 && alignmentBytes > 0 && alignmentBytes <= CHUNK_BYTES;
        if (sizeBytes < 1 || sizeBytes > Long.MAX_VALUE - CHUNK_BYTES || !aligns) {
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
            // Read now: a tree's entry changes when it is removed.
            long free = range.getKey();
            long start = alignUp(free, alignment);
            long end = free + range.getValue();
            if (start + size <= end) {
                chunk.free.remove(free);
                putIfAny(chunk.free, free, start);
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
        Arena arena = Arena.ofShared();
        try {
            var segment = file.mmap(0, size, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
            mapper.map(file, segment, deviceAddress);
            NavigableMap<Long, Long> free = new TreeMap<>(Map.of(0L, size));
            Chunk chunk = new Chunk(file, arena, new DmaMemory(segment, deviceAddress, () -> {}), free);
            chunks.add(chunk);
            return chunk;
        } catch (IOException | RuntimeException e) {
            arena.close();
            file.close();
            throw e;
        }
    }

    /** The first place that is free: at the start of a usable range, or behind a chunk. Addresses are unsigned. */
    private long freeAddress(long size) throws IOException {
        for (AddressRange range : usable) {
            long start = alignUp(range.first(), CHUNK_BYTES);
            if (isFree(range, start, size)) {
                return start;
            }
            for (Chunk chunk : chunks) {
                if (isFree(range, chunk.last() + 1, size)) {
                    return chunk.last() + 1;
                }
            }
        }
        throw new IOException("no room for " + size + " bytes in the device addresses " + usable
                + "; close DMA memory that is no longer needed");
    }

    private boolean isFree(AddressRange range, long start, long size) {
        return isAtMost(range.first(), start)
                && isAtMost(start, range.last())
                && isAtMost(size - 1, range.last() - start)
                && chunks.stream()
                        .allMatch(
                                chunk -> !isAtMost(chunk.first(), start + size - 1) || !isAtMost(start, chunk.last()));
    }

    private static boolean isAtMost(long low, long high) {
        return Long.compareUnsigned(low, high) <= 0;
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
                chunk.arena.close();
                chunk.file.close();
            }
        }
    }
}
