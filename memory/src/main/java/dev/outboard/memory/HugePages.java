package dev.outboard.memory;

import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.linux.Pagemap;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory by its physical address, for a device that no IOMMU translates for: huge pages, locked, each contiguous for the
 * device. {@code proc(5)}, {@code /proc/PID/pagemap}; Linux kernel documentation, admin-guide/mm/hugetlbpage.rst.
 *
 * <pre>{@code
 * sysctl vm.nr_hugepages=64                                     # sets 128 MiB aside
 * new DmaAllocator(HugePages.ofSize(2 << 20)).allocate(4096)    // as root
 * }</pre>
 *
 * <p>It takes CAP_SYS_ADMIN to learn a physical address, and nothing stops the device from reaching any other memory of the
 * machine: use VFIO where there is an IOMMU. With an IOMMU that is on, these addresses are right only for a device whose
 * group's {@code type} in {@code /sys/kernel/iommu_groups} is {@code identity}, as {@code iommu=pt} makes it. The kernel
 * moves huge pages only when told to: when memory is taken out of the machine or fails, or for contiguous areas
 * ({@code cma=}). Not for devices that do not see the CPU's caches.
 *
 * <p>Methods may be called from any thread.
 */
public final class HugePages implements DmaSource {
    /**
     * Memory of several huge pages: contiguous for the CPU, not for the device, which gets a {@link ScatterList} of the
     * pages.
     *
     * @param segment all of it
     * @param pages its pages, in order, contiguous each
     */
    public record Buffer(MemorySegment segment, List<DmaMemory> pages) implements AutoCloseable {
        /** Gives the pages back. The device must be done with them. */
        @Override
        public void close() {
            // They are one mapping, which ends with its first page.
            pages.forEach(DmaMemory::close);
        }
    }

    private final long pageBytes;
    private final List<Mapping> supplied = new ArrayList<>();

    private HugePages(long pageBytes) {
        this.pageBytes = pageBytes;
    }

    /**
     * Huge pages of one size.
     *
     * @param pageBytes their size, one that {@code /sys/kernel/mm/hugepages} lists: 2 MiB or 1 GiB on x86
     * @return a source of memory
     */
    public static HugePages ofSize(long pageBytes) {
        Mman.hugePageFlag(pageBytes);
        return new HugePages(pageBytes);
    }

    @Override
    public long largestBytes() {
        return pageBytes;
    }

    @Override
    public DmaMemory supply(long sizeBytes, DmaLimits limits) throws IOException {
        if (sizeBytes > pageBytes) {
            throw new IOException(sizeBytes + " bytes are not contiguous for the device: a huge page has " + pageBytes
                    + "; take larger pages, or a buffer with a scatter list");
        }
        // Which pages the kernel gives cannot be chosen: those out of reach are kept until one in reach is found.
        List<Buffer> outOfReach = new ArrayList<>();
        try {
            while (true) {
                Buffer buffer = map(pageBytes);
                DmaMemory page = buffer.pages().getFirst();
                if (limits.reaches(page.deviceAddress(), pageBytes)) {
                    return page;
                }
                outOfReach.add(buffer);
            }
        } catch (LinuxException e) {
            if (outOfReach.isEmpty()) {
                throw e;
            }
            throw new IOException(
                    "none of the " + outOfReach.size() + " huge pages that are free lies where the device reaches ("
                            + limits + "); set more aside, best when the machine starts (hugepages=N)",
                    e);
        } finally {
            outOfReach.forEach(Buffer::close);
        }
    }

    /**
     * Allocates memory that is larger than a page.
     *
     * @param sizeBytes how much, at least 1; whole pages are taken
     * @return the memory, zeroed
     * @throws IOException if not enough pages are set aside, or this process may not know physical addresses
     */
    public Buffer buffer(long sizeBytes) throws IOException {
        if (sizeBytes < 1 || sizeBytes > Long.MAX_VALUE - pageBytes) {
            throw new IllegalArgumentException("a buffer of " + sizeBytes + " bytes; give more than 0");
        }
        return map(DmaLimits.alignUp(sizeBytes, pageBytes));
    }

    private Buffer map(long length) throws LinuxException {
        Mapping mapping =
                Mapping.anonymous(length).hugePages(pageBytes).populate().map();
        try {
            mapping.lock(0, length);
            // A child that writes would get the page, and this process a copy that the device does not know.
            mapping.advise(Advice.DONT_FORK, 0, length);
            MemorySegment segment = mapping.segment();
            List<DmaMemory> pages = new ArrayList<>();
            for (long at = 0; at < length; at += pageBytes) {
                MemorySegment page = segment.asSlice(at, pageBytes);
                pages.add(new DmaMemory(page, Pagemap.physicalAddress(page), () -> release(mapping)));
            }
            synchronized (supplied) {
                supplied.add(mapping);
            }
            return new Buffer(segment, List.copyOf(pages));
        } catch (LinuxException | RuntimeException e) {
            mapping.close();
            throw e;
        }
    }

    private void release(Mapping mapping) {
        synchronized (supplied) {
            supplied.remove(mapping);
        }
        mapping.close();
    }

    /** Unmaps all pages. The device must be quiet. */
    @Override
    public void close() {
        List<Mapping> all;
        synchronized (supplied) {
            all = List.copyOf(supplied);
        }
        all.forEach(this::release);
    }
}
