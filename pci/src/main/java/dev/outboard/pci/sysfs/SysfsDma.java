package dev.outboard.pci.sysfs;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaLimits;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.DmaSource;
import dev.outboard.memory.HugePages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * DMA memory of functions that are reached by sysfs: huge pages by their physical addresses, if that is what the function's
 * addresses mean. Linux kernel documentation, ABI/testing/sysfs-kernel-iommu_groups.
 */
final class SysfsDma implements DmaSource {
    private static final long PAGE_BYTES = 2L << 20;
    private static final String IDENTITY = "identity";

    private final DeviceAddress address;
    private final Path directory;
    private final HugePages pages = HugePages.ofSize(PAGE_BYTES);

    private SysfsDma(DeviceAddress address, Path directory) {
        this.address = address;
        this.directory = directory;
    }

    static DmaAllocator allocator(DeviceAddress address, Path directory) {
        return new DmaAllocator(new SysfsDma(address, directory));
    }

    @Override
    public DmaMemory supply(long sizeBytes, DmaLimits limits) throws IOException {
        refuseIfTranslated();
        return pages.supply(sizeBytes, limits);
    }

    private void refuseIfTranslated() throws IOException {
        if (Files.exists(directory.resolve("iommu_group"))) {
            String type;
            try {
                type = Files.readString(directory.resolve("iommu_group/type")).strip();
            } catch (NoSuchFileException before5Dot6) {
                type = "unknown";
            }
            if (!type.equals(IDENTITY)) {
                throw new DeviceException(
                        address + ": an IOMMU translates its addresses (" + type + "), and sysfs cannot"
                                + " ask it to; give the device to VFIO: outboard bind " + address.device() + " vfio");
            }
        }
    }

    @Override
    public long largestBytes() {
        return pages.largestBytes();
    }

    @Override
    public void close() {
        pages.close();
    }
}
