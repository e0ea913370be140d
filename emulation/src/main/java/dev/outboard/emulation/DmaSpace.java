package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The client's memory as a model sees it: device addresses, translated to memory with their bounds checked. Only the
 * agent's thread uses it.
 *
 * <p>A range that the client mapped without a descriptor takes part in the checks for overlaps, but nothing can be read
 * or written there (vfio-user's DMA_READ and DMA_WRITE are not spoken).
 */
public final class DmaSpace {
    /** The page size that addresses, sizes and offsets of mappings are multiples of. */
    public static final long PAGE_BYTES = 4096;

    private static final int MAXIMUM_REGIONS = 65_535;

    private final List<DmaRegion> regions = new ArrayList<>();
    private @Nullable DmaRegion lastRead;
    private @Nullable DmaRegion lastWritten;

    /** A space with nothing in it. */
    public DmaSpace() {}

    /**
     * Finds memory that the device may read.
     *
     * @param address the first device address
     * @param length how much, in bytes
     * @return the region that all of it lies in, or null if there is none
     */
    public @Nullable DmaRegion readable(long address, long length) {
        DmaRegion last = lastRead;
        if (last != null && last.contains(address, length)) {
            return last;
        }
        DmaRegion found = find(address, length);
        if (found == null || !found.isReadable()) {
            return null;
        }
        lastRead = found;
        return found;
    }

    /**
     * Finds memory that the device may write.
     *
     * @param address the first device address
     * @param length how much, in bytes
     * @return the region that all of it lies in, or null if there is none
     */
    public @Nullable DmaRegion writable(long address, long length) {
        DmaRegion last = lastWritten;
        if (last != null && last.contains(address, length)) {
            return last;
        }
        DmaRegion found = find(address, length);
        if (found == null || !found.isWritable()) {
            return null;
        }
        lastWritten = found;
        return found;
    }

    private @Nullable DmaRegion find(long address, long length) {
        for (int i = 0; i < regions.size(); i++) {
            DmaRegion region = regions.get(i);
            if (region.contains(address, length)) {
                return region;
            }
        }
        return null;
    }

    /**
     * What is mapped.
     *
     * @return the regions, oldest first
     */
    public List<DmaRegion> regions() {
        return List.copyOf(regions);
    }

    /** Maps a range; {@code file} stays the caller's and is not needed afterwards. */
    void map(long address, long size, @Nullable Fd file, long offset, boolean readable, boolean writable)
            throws IOException {
        boolean wholePages = ((address | size | offset) & (PAGE_BYTES - 1)) == 0;
        boolean wraps = Long.compareUnsigned(address + (size - 1), address) < 0;
        if (!wholePages || size <= 0 || wraps || offset < 0 || offset > Long.MAX_VALUE - size) {
            throw new ErrorReply(Errno.EINVAL);
        }
        for (DmaRegion region : regions) {
            if (region.overlaps(address, size)) {
                throw new ErrorReply(Errno.EEXIST);
            }
        }
        if (regions.size() == MAXIMUM_REGIONS) {
            throw new ErrorReply(Errno.ENOSPC);
        }
        Arena arena = Arena.ofShared();
        try {
            MemorySegment segment =
                    file == null ? MemorySegment.NULL : map(file, offset, size, readable, writable, arena);
            regions.add(new DmaRegion(address, size, segment, readable, writable, arena));
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static MemorySegment map(Fd file, long offset, long size, boolean readable, boolean writable, Arena arena)
            throws IOException {
        // A mapping beyond the end of its file maps, and faults when it is touched.
        long fileBytes = file.regularFileBytes();
        if (fileBytes >= 0 && fileBytes < offset + size) {
            throw new ErrorReply(Errno.EINVAL);
        }
        int protection = (readable ? Mman.PROT_READ : 0) | (writable ? Mman.PROT_READ | Mman.PROT_WRITE : 0);
        try {
            return file.mmap(offset, size, protection, Mman.MAP_SHARED, arena);
        } catch (LinuxException e) {
            throw new ErrorReply(e.errno(), e);
        }
    }

    void unmap(long address, long size) throws ErrorReply {
        for (int i = 0; i < regions.size(); i++) {
            DmaRegion region = regions.get(i);
            if (region.address() == address && region.sizeBytes() == size) {
                regions.remove(i);
                forget();
                region.unmap();
                return;
            }
        }
        throw new ErrorReply(Errno.ENOENT);
    }

    void unmapAll() {
        forget();
        regions.forEach(DmaRegion::unmap);
        regions.clear();
    }

    private void forget() {
        lastRead = null;
        lastWritten = null;
    }
}
