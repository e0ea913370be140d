package dev.outboard.memory;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Memory that both the CPU and a device reach: a segment for the one, an address for the other. It is contiguous for
 * both.
 *
 * <p>Close it only after the device is done with it. Closing gives it back to its {@link DmaAllocator}; the segment stays
 * accessible until the allocator closes, so a late access reads or spoils memory that may serve another by then, but does
 * no worse.
 */
public final class DmaMemory implements AutoCloseable {
    private final MemorySegment segment;
    private final long deviceAddress;
    private final Runnable free;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * Memory that somebody mapped for a device.
     *
     * @param segment where the CPU finds it
     * @param deviceAddress where the device finds it
     * @param free called once, when it is closed
     */
    public DmaMemory(MemorySegment segment, long deviceAddress, Runnable free) {
        this.segment = segment;
        this.deviceAddress = deviceAddress;
        this.free = free;
    }

    /**
     * Where the CPU finds it.
     *
     * @return the memory, for any thread
     */
    public MemorySegment segment() {
        return segment;
    }

    /**
     * Where the device finds it.
     *
     * @return an I/O virtual address, or a physical one where there is no IOMMU
     */
    public long deviceAddress() {
        return deviceAddress;
    }

    /**
     * Its size.
     *
     * @return bytes
     */
    public long sizeBytes() {
        return segment.byteSize();
    }

    /**
     * A part of it. Closing the part does nothing.
     *
     * @param offset where it starts, in bytes
     * @param length its size, in bytes
     * @return the part
     */
    public DmaMemory slice(long offset, long length) {
        Objects.checkFromIndexSize(offset, length, sizeBytes());
        return new DmaMemory(segment.asSlice(offset, length), deviceAddress + offset, () -> {});
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            free.run();
        }
    }

    @Override
    public String toString() {
        return "DMA memory of " + sizeBytes() + " bytes at device address 0x" + Long.toHexString(deviceAddress);
    }
}
