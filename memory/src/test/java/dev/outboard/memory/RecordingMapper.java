package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** An IOMMU on paper: refuses what overlaps, and reaches memory as a device would, through the file. */
final class RecordingMapper implements DmaMapper {
    private final NavigableMap<Long, Long> mapped = new TreeMap<>();
    private final Map<Long, Fd> files = new HashMap<>();
    private final List<Long> unmapped = new ArrayList<>();
    private boolean failNext;

    /** What is mapped now: sizes by device address. */
    NavigableMap<Long, Long> mapped() {
        return mapped;
    }

    /** What was unmapped, in order. */
    List<Long> unmapped() {
        return unmapped;
    }

    void failNext() {
        failNext = true;
    }

    @Override
    public void map(Fd file, MemorySegment segment, long deviceAddress) throws IOException {
        if (failNext) {
            failNext = false;
            throw new IOException("memlock");
        }
        long size = segment.byteSize();
        mapped.forEach(
                (address, length) -> assertThat(deviceAddress >= address + length || deviceAddress + size <= address)
                        .as("0x%x overlaps 0x%x", deviceAddress, address)
                        .isTrue());
        mapped.put(deviceAddress, size);
        files.put(deviceAddress, file);
    }

    @Override
    public void unmap(long deviceAddress, long sizeBytes) {
        assertThat(mapped.remove(deviceAddress)).isEqualTo(sizeBytes);
        assertThat(files.remove(deviceAddress).isOpen())
                .as("the file is still open while the device has it")
                .isTrue();
        unmapped.add(deviceAddress);
    }

    MemorySegment seenByDevice(long deviceAddress, long length, Arena arena) throws IOException {
        long chunk = mapped.floorKey(deviceAddress);
        Fd file = files.get(chunk);
        return file.mmap(deviceAddress - chunk, length, Mman.PROT_READ, Mman.MAP_SHARED, arena);
    }
}
