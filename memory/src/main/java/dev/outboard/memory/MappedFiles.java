package dev.outboard.memory;

import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.memory.DmaAllocator.AddressRange;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** DMA memory whose device addresses are ours to choose: files in memory that a {@link DmaMapper} maps for the device. */
final class MappedFiles implements DmaSource {
    private final DmaMapper mapper;
    private final List<AddressRange> usable;
    /** The last address of each mapping, by its first. */
    private final NavigableMap<Long, Long> taken = new TreeMap<>(Long::compareUnsigned);

    private final Deque<DmaMemory> mapped = new ArrayDeque<>();

    MappedFiles(DmaMapper mapper, List<AddressRange> usable) {
        this.mapper = mapper;
        this.usable = List.copyOf(usable);
    }

    @Override
    public synchronized DmaMemory supply(long sizeBytes, DmaLimits limits) throws IOException {
        long size = DmaLimits.alignUp(sizeBytes, DmaAllocator.CHUNK_BYTES);
        long address = freeAddress(size, limits);
        return map(Fd.memfd("outboard-dma", size), size, address, null);
    }

    @Override
    public synchronized DmaMemory map(Fd file, DmaLimits limits, @Nullable DmaBuf buffer) throws IOException {
        long size = file.regularFileBytes();
        if (size < 1 || size % Mman.pageBytes() != 0) {
            throw new IllegalArgumentException(file.name() + " has " + (size < 0 ? "no length" : size + " bytes")
                    + "; give a file of whole pages, best a multiple of 2 MiB");
        }
        long address = freeAddress(size, limits);
        return map(file.duplicate(), size, address, buffer);
    }

    private DmaMemory map(Fd file, long size, long address, @Nullable DmaBuf buffer) throws IOException {
        Arena arena = Arena.ofShared();
        try {
            DevicePages pages = DevicePages.mapMemory(file, 0, size);
            MemorySegment segment = pages.segment(arena);
            inLargePages(segment);
            mapper.map(file, segment, address);
            taken.put(address, address + size - 1);
            Runnable unmap = () -> {
                unmap(address, size);
                arena.close();
                file.close();
            };
            DmaMemory memory = new DmaMemory(segment, address, pages, buffer == null ? null : buffer::sync, unmap);
            mapped.push(memory);
            return memory;
        } catch (IOException | RuntimeException e) {
            arena.close();
            file.close();
            throw e;
        }
    }

    /** Fewer entries for the IOMMU, where /sys/kernel/mm/transparent_hugepage/shmem_enabled lets programs choose. */
    private static void inLargePages(MemorySegment segment) {
        try {
            Mman.madvise(segment, Mman.MADV_HUGEPAGE);
        } catch (LinuxException unknown) {
            // A kernel without large pages, or a file that has its own: nothing is lost.
        }
    }

    @Override
    public synchronized void reserve(AddressRange range) throws IOException {
        Map.Entry<Long, Long> inTheWay = taken.floorEntry(range.last());
        if (inTheWay != null && Long.compareUnsigned(inTheWay.getValue(), range.first()) >= 0) {
            throw new IOException("DMA memory is at the device addresses " + range + " already; reserve them first");
        }
        taken.put(range.first(), range.last());
    }

    private synchronized void unmap(long address, long size) {
        mapped.removeIf(memory -> memory.deviceAddress() == address);
        mapper.unmap(address, size);
        taken.remove(address);
    }

    /** The first place that is free: at the start of a usable range, or behind a mapping. */
    private long freeAddress(long size, DmaLimits asked) throws IOException {
        // Within a chunk of its own size or less, what is asked for keeps a smaller boundary by its place at the start.
        DmaLimits limits = asked.alignedTo(Math.max(asked.alignmentBytes(), DmaAllocator.CHUNK_BYTES))
                .notCrossing(asked.boundaryBytes() < DmaAllocator.CHUNK_BYTES ? 0 : asked.boundaryBytes());
        for (AddressRange range : usable) {
            long first = range.first();
            while (true) {
                OptionalLong found = limits.place(first, range.last(), size);
                if (found.isEmpty()) {
                    break;
                }
                Map.Entry<Long, Long> inTheWay = taken.floorEntry(found.getAsLong() + size - 1);
                if (inTheWay == null || Long.compareUnsigned(inTheWay.getValue(), found.getAsLong()) < 0) {
                    return found.getAsLong();
                }
                first = inTheWay.getValue() + 1;
                if (first == 0) {
                    break;
                }
            }
        }
        String narrower = asked.highestAddress() == -1 ? "" : " " + asked;
        throw new IOException("no room for " + size + " bytes in the device addresses " + usable + narrower
                + "; close DMA memory that is no longer needed");
    }

    @Override
    public void close() {
        List<DmaMemory> all;
        synchronized (this) {
            all = List.copyOf(mapped);
        }
        all.forEach(DmaMemory::close);
    }
}
