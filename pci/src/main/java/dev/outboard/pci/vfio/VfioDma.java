package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.LockedMemory;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaAllocator.AddressRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The DMA maps of a VFIO container, by a type 1 IOMMU. */
final class VfioDma implements VfioOpening.AddressSpace {
    /** Low addresses first, for devices that reach no others, but none where x86 expects interrupts. */
    static final List<AddressRange> USUAL_ADDRESSES = List.of(
            new AddressRange(DmaAllocator.CHUNK_BYTES, 0xfedf_ffffL),
            new AddressRange(0x1_0000_0000L, 0x7f_ffff_ffffL));

    private static final int VFIO_IOMMU_INFO_CAPS = 2;
    private static final long LARGEST_INFO_BYTES = 64 << 10;

    private final Fd container;

    VfioDma(Fd container) {
        this.container = container;
    }

    @Override
    public void map(Fd file, MemorySegment segment, long deviceAddress) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            StructView map = Vfio.IOMMU_TYPE1_DMA_MAP
                    .allocate(arena)
                    .set("argsz", Vfio.IOMMU_TYPE1_DMA_MAP.byteSize())
                    .set("flags", Vfio.VFIO_DMA_MAP_FLAG_READ | Vfio.VFIO_DMA_MAP_FLAG_WRITE)
                    .set("vaddr", segment.address())
                    .set("iova", deviceAddress)
                    .set("size", segment.byteSize());
            container.ioctl(Vfio.VFIO_IOMMU_MAP_DMA, map.segment());
        } catch (LinuxException e) {
            throw LockedMemory.explain(e, segment.byteSize());
        }
    }

    @Override
    public void unmap(long deviceAddress, long sizeBytes) {
        try (Arena arena = Arena.ofConfined()) {
            StructView unmap = Vfio.IOMMU_TYPE1_DMA_UNMAP
                    .allocate(arena)
                    .set("argsz", Vfio.IOMMU_TYPE1_DMA_UNMAP.byteSize())
                    .set("iova", deviceAddress)
                    .set("size", sizeBytes);
            container.ioctl(Vfio.VFIO_IOMMU_UNMAP_DMA, unmap.segment());
        } catch (LinuxException e) {
            // What was mapped can be unmapped; and the kernel keeps its own hold on the memory while it is mapped.
            throw new IllegalStateException("a DMA map that was made cannot be taken away", e);
        }
    }

    @Override
    public List<AddressRange> usableAddresses() throws LinuxException, DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            StructView info = Vfio.IOMMU_TYPE1_INFO.allocate(arena).set("argsz", Vfio.IOMMU_TYPE1_INFO.byteSize());
            container.ioctl(Vfio.VFIO_IOMMU_GET_INFO, info.segment());
            long needed = info.get("argsz");
            if ((info.get("flags") & VFIO_IOMMU_INFO_CAPS) == 0 || needed > LARGEST_INFO_BYTES) {
                return USUAL_ADDRESSES;
            }
            info = Vfio.IOMMU_TYPE1_INFO.allocate(arena, needed - Vfio.IOMMU_TYPE1_INFO.byteSize());
            info.set("argsz", needed);
            container.ioctl(Vfio.VFIO_IOMMU_GET_INFO, info.segment());
            MemorySegment ranges = CapabilityChain.find(
                    "the IOMMU's description",
                    info.segment(),
                    info.get("cap_offset"),
                    Vfio.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
            return usable(ranges);
        }
    }

    private static List<AddressRange> usable(@Nullable MemorySegment capability) {
        if (capability == null) {
            return USUAL_ADDRESSES;
        }
        long head = Vfio.IOMMU_TYPE1_INFO_CAP_IOVA_RANGE.byteSize();
        long each = Vfio.IOVA_RANGE.byteSize();
        long count = Math.min(
                Vfio.IOMMU_TYPE1_INFO_CAP_IOVA_RANGE.view(capability).get("nr_iovas"),
                (capability.byteSize() - head) / each);
        List<AddressRange> ranges = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            StructView range = Vfio.IOVA_RANGE.view(capability.asSlice(head + i * each, each));
            addUsable(ranges, range.get("start"), range.get("end"));
        }
        return ranges;
    }

    /** Adds what a driver wants of a range that the IOMMU takes, if that is anything. */
    static void addUsable(List<AddressRange> ranges, long first, long end) {
        // Nobody needs the upper half, and there addresses are negative.
        long last = end < 0 ? Long.MAX_VALUE : end;
        // The first chunk stays free: many devices and drivers take address 0 for none.
        if (first >= 0 && first <= last && last >= DmaAllocator.CHUNK_BYTES) {
            ranges.add(new AddressRange(Math.max(first, DmaAllocator.CHUNK_BYTES), last));
        }
    }
}
