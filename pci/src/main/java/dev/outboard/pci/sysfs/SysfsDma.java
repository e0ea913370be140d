package dev.outboard.pci.sysfs;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Fd;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaAllocator.AddressRange;
import dev.outboard.memory.DmaMapper;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** DMA memory of functions that are reached by sysfs: there is none, since no IOMMU is asked, and this says so. */
final class SysfsDma {
    private SysfsDma() {}

    static DmaAllocator allocator(DeviceAddress address) {
        DmaMapper none = new DmaMapper() {
            @Override
            public void map(Fd file, MemorySegment segment, long deviceAddress) throws IOException {
                throw new DeviceException(address + ": sysfs gives registers, and no DMA memory; give the device to"
                        + " VFIO: outboard bind " + address.device() + " vfio");
            }

            @Override
            public void unmap(long deviceAddress, long sizeBytes) {
                // Nothing was mapped.
            }
        };
        return new DmaAllocator(none, List.of(new AddressRange(DmaAllocator.CHUNK_BYTES, Long.MAX_VALUE)));
    }
}
