package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.DmaAllocator;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What a region is: {@code struct vfio_region_info} and its capabilities, checked.
 *
 * @param index which region
 * @param flags {@code VFIO_REGION_INFO_FLAG} bits
 * @param sizeBytes its size; 0 if the device has no such region
 * @param fileOffset where it starts in the descriptor that it is mapped by
 * @param areas the parts that can be mapped, each inside of the region
 */
record RegionInfo(int index, int flags, long sizeBytes, long fileOffset, List<Area> areas) {
    private static final int READ_WRITE = Vfio.VFIO_REGION_INFO_FLAG_READ | Vfio.VFIO_REGION_INFO_FLAG_WRITE;

    /**
     * A part of a region.
     *
     * @param offset where it starts in the region
     * @param sizeBytes its size
     */
    record Area(long offset, long sizeBytes) {}

    /** Whether one mapping covers all of it. */
    boolean isMappable() {
        return areas.size() == 1 && areas.getFirst().equals(new Area(0, sizeBytes));
    }

    /** The same region, if it cannot be mapped after all. */
    RegionInfo withoutAreas() {
        return new RegionInfo(index, flags, sizeBytes, fileOffset, List.of());
    }

    /**
     * Reads what the kernel or a server said.
     *
     * @param device the device's name in messages
     * @param index which region was asked for
     * @param reply the structure and what follows it, not a byte more than was received
     * @throws DeviceException if it makes no sense
     */
    static RegionInfo parse(String device, int index, MemorySegment reply) throws DeviceException {
        String name = device + ": region " + index;
        if (reply.byteSize() < Vfio.REGION_INFO.byteSize()) {
            throw new DeviceException(name + ": its description has only " + reply.byteSize() + " bytes");
        }
        StructView info = Vfio.REGION_INFO.view(reply);
        if (info.get("index") != index) {
            throw new DeviceException(name + ": what came describes region " + info.get("index"));
        }
        int flags = (int) info.get("flags");
        long size = info.get("size");
        long offset = info.get("offset");
        if (size < 0 || offset < 0 || offset + size < 0) {
            throw new DeviceException(name + " cannot be 0x" + Long.toHexString(size) + " bytes at 0x"
                    + Long.toHexString(offset) + " of its file");
        }
        List<Area> areas = List.of();
        boolean mappable = (flags & Vfio.VFIO_REGION_INFO_FLAG_MMAP) != 0;
        if (mappable && size > 0 && (flags & READ_WRITE) == READ_WRITE) {
            areas = List.of(new Area(0, size));
            if ((flags & Vfio.VFIO_REGION_INFO_FLAG_CAPS) != 0 && info.get("cap_offset") != 0) {
                MemorySegment sparse = CapabilityChain.find(
                        name, reply, info.get("cap_offset"), Vfio.VFIO_REGION_INFO_CAP_SPARSE_MMAP);
                areas = sparse == null ? areas : sparseAreas(name, sparse, size);
            }
        }
        // What does not begin with a page cannot be mapped, whoever says so.
        areas = areas.stream()
                .filter(area -> (offset + area.offset()) % DmaAllocator.PAGE_BYTES == 0)
                .toList();
        return new RegionInfo(index, flags, size, offset, areas);
    }

    private static List<Area> sparseAreas(String name, MemorySegment capability, long regionBytes)
            throws DeviceException {
        long head = Vfio.REGION_INFO_CAP_SPARSE_MMAP.byteSize();
        long each = Vfio.REGION_SPARSE_MMAP_AREA.byteSize();
        long count = capability.byteSize() < head
                ? -1
                : Vfio.REGION_INFO_CAP_SPARSE_MMAP.view(capability).get("nr_areas");
        if (count < 0 || count > (capability.byteSize() - head) / each) {
            throw new DeviceException(name + ": its list of mappable areas is cut off");
        }
        List<Area> areas = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            StructView area = Vfio.REGION_SPARSE_MMAP_AREA.view(capability.asSlice(head + i * each, each));
            long offset = area.get("offset");
            long size = area.get("size");
            if (offset < 0 || size < 0 || offset > regionBytes || size > regionBytes - offset) {
                throw new DeviceException(name + ": a mappable area of 0x" + Long.toHexString(size) + " bytes at 0x"
                        + Long.toHexString(offset) + " is outside of its 0x" + Long.toHexString(regionBytes)
                        + " bytes");
            }
            if (size > 0) {
                areas.add(new Area(offset, size));
            }
        }
        return List.copyOf(areas);
    }
}
