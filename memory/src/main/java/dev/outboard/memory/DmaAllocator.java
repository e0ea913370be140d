package dev.outboard.memory;

import dev.outboard.linux.Fd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Allocates {@linkplain DmaMemory DMA memory} for one device. Memory comes in chunks from a {@link DmaSource} and is handed
 * out in pieces, first fit. What is mapped for the device has addresses and sizes that are multiples of 2 MiB (some
 * vfio-user targets ignore others).
 *
 * <p>Safe for use by several threads. Allocate up front, a {@link DmaPool} if need be: this is no hot path.
 */
public final class DmaAllocator implements AutoCloseable {
    /** Mapped chunks are multiples of this, and lie at multiples of it. */
    public static final long CHUNK_BYTES = 2L << 20;

    /** The memory page size that alignment defaults to. */
    public static final long PAGE_BYTES = 4096;

    static final long CACHE_LINE_BYTES = 64;

    /**
     * A range of device addresses that may be used.
     *
     * @param first the first address, unsigned
     * @param last the last address, unsigned
     */
    public record AddressRange(long first, long last) {
        /** Checks that the range has a first address. */
        public AddressRange {
            if (Long.compareUnsigned(first, last) > 0) {
                throw new IllegalArgumentException(
                        "0x" + Long.toHexString(first) + " is above 0x" + Long.toHexString(last));
            }
        }

        @Override
        public String toString() {
            return "0x" + Long.toHexString(first) + "-0x" + Long.toHexString(last);
        }
    }

    /** Memory from the source, and what is free of it, in whole cache lines: what others do to the rest of one could spoil it. */
    private record Chunk(DmaMemory memory, FreeRanges free) {
        Chunk(DmaMemory memory) {
            this(memory, new FreeRanges(memory.deviceAddress(), memory.sizeBytes(), CACHE_LINE_BYTES));
        }
    }

    private final DmaSource source;
    private final List<Chunk> chunks = new ArrayList<>();
    private boolean closed;

    /**
     * An allocator with nothing supplied so far.
     *
     * @param source where it has its memory from; closing the allocator closes it
     */
    public DmaAllocator(DmaSource source) {
        this.source = source;
    }

    /**
     * An allocator with nothing mapped so far.
     *
     * @param mapper maps chunks for the device
     * @param usable the device addresses that may be used, in order of preference
     */
    public DmaAllocator(DmaMapper mapper, List<AddressRange> usable) {
        this(new MappedFiles(mapper, usable));
    }

    /**
     * Hands out pieces of memory that is there already, such as a u-dma-buf device.
     *
     * @param memory the memory; closing the allocator closes it
     * @return an allocator that has no more than this
     * @throws IllegalArgumentException if it is smaller than a cache line, 64 bytes
     */
    public static DmaAllocator within(DmaMemory memory) {
        if (memory.sizeBytes() < CACHE_LINE_BYTES) {
            throw new IllegalArgumentException(memory + " is less than a cache line; give 64 bytes or more");
        }
        return new DmaAllocator(new OnePiece(memory));
    }

    /**
     * Allocates memory at a page boundary, zeroed.
     *
     * @param sizeBytes how much, at least 1
     * @return the memory
     * @throws IOException if there is no more
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
     * @throws IOException if there is no more
     */
    public DmaMemory allocate(long sizeBytes, long alignmentBytes) throws IOException {
        return allocate(sizeBytes, DmaLimits.NONE.alignedTo(alignmentBytes));
    }

    /**
     * Allocates memory that a device with limits can use, zeroed.
     *
     * @param sizeBytes how much, at least 1, and no more than the boundary
     * @param limits what the device demands; its alignment is at most 2 MiB
     * @return the memory
     * @throws IOException if there is no more, or none that keeps the limits
     */
    public synchronized DmaMemory allocate(long sizeBytes, DmaLimits limits) throws IOException {
        checkOpen();
        if (sizeBytes < 1 || sizeBytes > Long.MAX_VALUE - CHUNK_BYTES || limits.alignmentBytes() > CHUNK_BYTES) {
            throw new IllegalArgumentException("cannot allocate " + sizeBytes + " bytes " + limits
                    + ": the size is at least 1, the alignment at most " + CHUNK_BYTES);
        }
        if (limits.boundaryBytes() != 0 && sizeBytes > limits.boundaryBytes()) {
            throw new IllegalArgumentException("cannot allocate " + sizeBytes + " bytes " + limits
                    + ": so many cross a boundary wherever they are");
        }
        for (Chunk chunk : chunks) {
            DmaMemory memory = take(chunk, sizeBytes, limits);
            if (memory != null) {
                return memory;
            }
        }
        Chunk chunk = new Chunk(source.supply(DmaLimits.alignUp(sizeBytes, CACHE_LINE_BYTES), limits));
        chunks.add(chunk);
        DmaMemory memory = take(chunk, sizeBytes, limits);
        if (memory == null) {
            throw new IOException("no room for " + sizeBytes + " bytes " + limits + " in " + chunk.memory);
        }
        return memory;
    }

    private @Nullable DmaMemory take(Chunk chunk, long asked, DmaLimits limits) {
        OptionalLong found = chunk.free.take(asked, limits);
        if (found.isEmpty()) {
            return null;
        }
        long place = found.getAsLong();
        DmaMemory memory = chunk.memory.slice(place, asked, () -> give(chunk, place, asked));
        memory.segment().fill((byte) 0);
        return memory;
    }

    private synchronized void give(Chunk chunk, long place, long size) {
        chunk.free.give(place, size);
    }

    /**
     * Maps memory that somebody made for the device: a memfd, also of huge pages, or what another process shares. Its
     * segment dies when it is closed. For the device it begins at a multiple of 2 MiB.
     *
     * @param file the file, of whole pages; it can be closed once it is mapped
     * @return all of the file; closing it takes it away from the device
     * @throws IOException if it cannot be mapped
     * @throws UnsupportedOperationException if the device has no IOMMU
     */
    public synchronized DmaMemory map(Fd file) throws IOException {
        checkOpen();
        return source.map(file, DmaLimits.NONE, null);
    }

    /**
     * Maps the memory of a dma-buf for the device; {@link DmaMemory#syncForCpu} and {@link DmaMemory#syncForDevice} then
     * begin and end the CPU's access to the dma-buf.
     *
     * @param buffer the dma-buf, which stays open as long as the memory is in use
     * @return all of it; closing it takes it away from the device
     * @throws IOException if it cannot be mapped
     * @throws UnsupportedOperationException if the device has no IOMMU
     */
    public synchronized DmaMemory map(DmaBuf buffer) throws IOException {
        checkOpen();
        return source.map(buffer.memory(), DmaLimits.NONE, buffer);
    }

    /**
     * Leaves device addresses out from now on, because the device finds something else there: memory of its own.
     *
     * @param range the addresses
     * @throws IOException if DMA memory is there already
     */
    public synchronized void reserve(AddressRange range) throws IOException {
        checkOpen();
        source.reserve(range);
    }

    /** How much can be allocated in one piece. */
    long largestBytes() {
        return source.largestBytes();
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the device of this allocator is closed");
        }
    }

    /** Unmaps everything. The device must be quiet. The segments of all DMA memory of this allocator die with it. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            chunks.reversed().forEach(chunk -> chunk.memory.close());
            source.close();
        }
    }

    /** Memory that is there already. */
    private static final class OnePiece implements DmaSource {
        private final DmaMemory memory;
        private boolean supplied;

        OnePiece(DmaMemory memory) {
            this.memory = memory;
        }

        @Override
        public DmaMemory supply(long sizeBytes, DmaLimits limits) throws IOException {
            if (supplied || sizeBytes > memory.sizeBytes()) {
                throw new IOException("no room for " + sizeBytes + " bytes " + limits + " in " + memory
                        + "; close what is no longer needed of it");
            }
            supplied = true;
            return memory;
        }

        @Override
        public long largestBytes() {
            return memory.sizeBytes();
        }

        @Override
        public void close() {
            memory.close();
        }
    }
}
