package dev.outboard.pci.vfio;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Ioctl;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.LockedMemory;
import dev.outboard.linux.StructView;
import dev.outboard.linux.uapi.Iommufd;
import dev.outboard.memory.DmaAllocator.AddressRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** An I/O address space of {@code /dev/iommu}. Linux kernel documentation, userspace-api/iommufd.rst. */
final class IommufdDma implements VfioOpening.AddressSpace {
    /** The ioctls of {@code /dev/iommu}. */
    interface Calls {
        int ioctl(Ioctl request, MemorySegment argument) throws LinuxException;
    }

    private static final int USUAL_RANGES = 16;
    private static final int MOST_RANGES = 4096;

    private final Calls iommu;
    private final int id;

    private IommufdDma(Calls iommu, int id) {
        this.iommu = iommu;
        this.id = id;
    }

    /** Makes an address space with nothing mapped; it ends with the descriptor. */
    static IommufdDma create(Calls iommu) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            StructView alloc = Iommufd.IOAS_ALLOC.allocate(arena).set("size", Iommufd.IOAS_ALLOC.byteSize());
            iommu.ioctl(Iommufd.IOMMU_IOAS_ALLOC, alloc.segment());
            return new IommufdDma(iommu, (int) alloc.get("out_ioas_id"));
        }
    }

    /** The address space's number, for the device that is to use it. */
    int id() {
        return id;
    }

    @Override
    public void map(Fd file, MemorySegment segment, long deviceAddress) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            StructView map = Iommufd.IOAS_MAP
                    .allocate(arena)
                    .set("size", Iommufd.IOAS_MAP.byteSize())
                    .set(
                            "flags",
                            Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA
                                    | Iommufd.IOMMU_IOAS_MAP_READABLE
                                    | Iommufd.IOMMU_IOAS_MAP_WRITEABLE)
                    .set("ioas_id", id)
                    .set("user_va", segment.address())
                    .set("length", segment.byteSize())
                    .set("iova", deviceAddress);
            iommu.ioctl(Iommufd.IOMMU_IOAS_MAP, map.segment());
        } catch (LinuxException e) {
            throw LockedMemory.explain(e, segment.byteSize());
        }
    }

    @Override
    public void unmap(long deviceAddress, long sizeBytes) {
        try (Arena arena = Arena.ofConfined()) {
            StructView unmap = Iommufd.IOAS_UNMAP
                    .allocate(arena)
                    .set("size", Iommufd.IOAS_UNMAP.byteSize())
                    .set("ioas_id", id)
                    .set("iova", deviceAddress)
                    .set("length", sizeBytes);
            iommu.ioctl(Iommufd.IOMMU_IOAS_UNMAP, unmap.segment());
        } catch (LinuxException e) {
            throw new IllegalStateException("a DMA map that was made cannot be taken away", e);
        }
    }

    /** To be asked once the device is attached: before, there are no limits. */
    @Override
    public List<AddressRange> usableAddresses() throws LinuxException {
        int room = USUAL_RANGES;
        while (true) {
            try (Arena arena = Arena.ofConfined()) {
                long each = Iommufd.IOVA_RANGE.byteSize();
                MemorySegment found = arena.allocate(each * room, Long.BYTES);
                StructView ranges = Iommufd.IOAS_IOVA_RANGES
                        .allocate(arena)
                        .set("size", Iommufd.IOAS_IOVA_RANGES.byteSize())
                        .set("ioas_id", id)
                        .set("num_iovas", room)
                        .set("allowed_iovas", found.address());
                try {
                    iommu.ioctl(Iommufd.IOMMU_IOAS_IOVA_RANGES, ranges.segment());
                } catch (LinuxException e) {
                    long wanted = ranges.get("num_iovas");
                    if (e.errno() != Errno.EMSGSIZE || wanted <= room || wanted > MOST_RANGES) {
                        throw e;
                    }
                    room = (int) wanted;
                    continue;
                }
                List<AddressRange> usable = new ArrayList<>();
                for (long i = 0; i < Math.min(room, ranges.get("num_iovas")); i++) {
                    StructView range = Iommufd.IOVA_RANGE.view(found.asSlice(i * each, each));
                    VfioDma.addUsable(usable, range.get("start"), range.get("last"));
                }
                return usable;
            }
        }
    }
}
