package dev.outboard.memory;

import dev.outboard.linux.DevicePages;
import dev.outboard.linux.LinuxException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Memory that both the CPU and a device reach: a segment for the one, an address for the other. It is contiguous for
 * both.
 *
 * <p>Close it only after the device is done with it. Closing gives it back to its {@link DmaAllocator}; the segment of
 * what was allocated stays accessible until the allocator closes, so a late access reads or spoils memory that may serve
 * another by then, but does no worse.
 *
 * <p>Methods may be called from any thread.
 */
public final class DmaMemory implements AutoCloseable {
    /** Caches of the CPU that a device does not see, and that must be written back and dropped at the right time. */
    interface Cache {
        /**
         * Hands a range over.
         *
         * @param toDevice to the device, else to the CPU
         * @param offset where the range starts, from the start of the memory that the cache is of
         */
        void sync(boolean toDevice, long offset, long length, DmaDirection direction) throws LinuxException;
    }

    private static final int IN_NO_POOL = -1;

    private final MemorySegment segment;
    private final long deviceAddress;
    private final long sizeBytes;
    /** Has the addresses of the segment stay good; null if they end with the segment. */
    private final @Nullable DevicePages pages;

    private final @Nullable Cache cache;
    private final long cacheOffset;
    private final int poolIndex;
    private final Runnable free;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * Memory that somebody mapped for a device.
     *
     * @param segment where the CPU finds it
     * @param deviceAddress where the device finds it
     * @param free called once, when it is closed
     * @throws IllegalArgumentException if the device's addresses would go past the highest there is
     */
    public DmaMemory(MemorySegment segment, long deviceAddress, Runnable free) {
        this(segment, deviceAddress, null, null, free);
    }

    DmaMemory(
            MemorySegment segment,
            long deviceAddress,
            @Nullable DevicePages pages,
            @Nullable Cache cache,
            Runnable free) {
        this(segment, deviceAddress, pages, cache, 0, IN_NO_POOL, free);
    }

    private DmaMemory(
            MemorySegment segment,
            long deviceAddress,
            @Nullable DevicePages pages,
            @Nullable Cache cache,
            long cacheOffset,
            int poolIndex,
            Runnable free) {
        sizeBytes = segment.byteSize();
        if (sizeBytes > 0 && Long.compareUnsigned(sizeBytes - 1, -1 - deviceAddress) > 0) {
            throw new IllegalArgumentException(sizeBytes + " bytes at device address 0x"
                    + Long.toHexString(deviceAddress) + " go past the highest address there is");
        }
        this.segment = segment;
        this.deviceAddress = deviceAddress;
        this.pages = pages;
        this.cache = cache;
        this.cacheOffset = cacheOffset;
        this.poolIndex = poolIndex;
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
        return sizeBytes;
    }

    /**
     * A part of it. Closing the part does nothing.
     *
     * @param offset where it starts, in bytes
     * @param length its size, in bytes
     * @return the part
     */
    public DmaMemory slice(long offset, long length) {
        return slice(offset, length, () -> {});
    }

    DmaMemory slice(long offset, long length, Runnable whenClosed) {
        return part(offset, length, IN_NO_POOL, whenClosed);
    }

    DmaMemory poolBuffer(long offset, long length, int index) {
        return part(offset, length, index, () -> {});
    }

    private DmaMemory part(long offset, long length, int index, Runnable whenClosed) {
        Objects.checkFromIndexSize(offset, length, sizeBytes());
        MemorySegment part = segment.asSlice(offset, length);
        return new DmaMemory(part, deviceAddress + offset, pages, cache, cacheOffset + offset, index, whenClosed);
    }

    /** Whose addresses those of the segment are, for as long as it can be reached; null if it must be asked each time. */
    @Nullable
    DevicePages pages() {
        return pages;
    }

    /** Its number in its {@link DmaPool}; negative if it is in none. */
    int poolIndex() {
        return poolIndex;
    }

    /**
     * Hands the memory over to the device, after the CPU's last access and before the device is told. Does nothing, and
     * costs next to nothing, where devices see the CPU's caches, as on x86. To hand over less, slice it.
     *
     * @param direction which way data will go
     * @throws LinuxException if the kernel refuses
     */
    public void syncForDevice(DmaDirection direction) throws LinuxException {
        if (cache != null) {
            cache.sync(true, cacheOffset, sizeBytes(), direction);
        }
    }

    /**
     * Takes the memory back for the CPU, after the device is done and before the CPU's first access. Does nothing where
     * {@link #syncForDevice} does nothing.
     *
     * @param direction which way data went
     * @throws LinuxException if the kernel refuses
     */
    public void syncForCpu(DmaDirection direction) throws LinuxException {
        if (cache != null) {
            cache.sync(false, cacheOffset, sizeBytes(), direction);
        }
    }

    /**
     * Whether the device sees the CPU's caches.
     *
     * @return false if {@link #syncForDevice} and {@link #syncForCpu} have something to do
     */
    public boolean isCoherent() {
        return cache == null;
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
