package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.specs.vfiouser.VfioUser;
import dev.outboard.virtio.GuestMemory;
import dev.outboard.virtio.GuestRegion;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The client's memory as a model sees it: device addresses, translated to memory with their bounds checked. Only the
 * agent's thread uses it.
 *
 * <p>What a client maps with a descriptor is memory that both sides share: {@link #readable} and {@link #writable} find
 * it. What it maps without one is reached by messages that the client answers: {@link #read} and {@link #write} copy from
 * and to either kind.
 */
public final class DmaSpace implements GuestMemory {
    /** The page size that addresses, sizes and offsets of mappings are multiples of. */
    public static final long PAGE_BYTES = 4096;

    // Sorted by address, and none overlaps another.
    private final List<DmaRegion> regions = new ArrayList<>();
    private @Nullable DmaRegion lastRead;
    private @Nullable DmaRegion lastWritten;
    private @Nullable ClientMemory client;
    private final List<DmaRegion> deviceMemory = new ArrayList<>();
    private @Nullable InterposedMemory interposed;

    /** A space with nothing in it. */
    public DmaSpace() {}

    /** Says who answers for memory that is mapped without a descriptor; null if nobody does. */
    void setClient(@Nullable ClientMemory client) {
        this.client = client;
    }

    /** Has all DMA pass an interposer from now on: no memory counts as shared. */
    void interpose(InterposedMemory memory) {
        interposed = memory;
    }

    /**
     * Whether an interposer sees all DMA pass.
     *
     * @return whether no memory counts as shared, so that none can be polled
     */
    public boolean isInterposed() {
        return interposed != null;
    }

    boolean hasClient() {
        return client != null;
    }

    /**
     * Finds shared memory that the device may read.
     *
     * @param address the first device address
     * @param length how much, in bytes
     * @return the region that all of it lies in, or null if there is none
     */
    @Override
    public @Nullable DmaRegion readable(long address, long length) {
        DmaRegion last = lastRead;
        if (last != null && last.contains(address, length)) {
            return last;
        }
        DmaRegion found = interposed == null ? at(address) : null;
        if (found == null || !found.isReadable() || !found.contains(address, length)) {
            return null;
        }
        lastRead = found;
        return found;
    }

    /**
     * Finds shared memory that the device may write.
     *
     * @param address the first device address
     * @param length how much, in bytes
     * @return the region that all of it lies in, or null if there is none
     */
    @Override
    public @Nullable DmaRegion writable(long address, long length) {
        DmaRegion last = lastWritten;
        if (last != null && last.contains(address, length)) {
            return last;
        }
        DmaRegion found = interposed == null ? at(address) : null;
        if (found == null || !found.isWritable() || !found.contains(address, length)) {
            return null;
        }
        lastWritten = found;
        return found;
    }

    /**
     * Reads the client's memory, wherever it is; a range may go over from one region to the next. Waits for the client
     * if the memory is not shared.
     *
     * @param address the first device address
     * @param target where to; all of it is filled
     * @return false if the device may not read all of the range, or the client did not answer; the target holds anything
     *     then
     */
    @Override
    public boolean read(long address, MemorySegment target) {
        return interposed == null ? readClient(address, target) : interposed.read(address, target);
    }

    boolean readClient(long address, MemorySegment target) {
        long length = target.byteSize();
        for (long done = 0; done < length; ) {
            DmaRegion region = wraps(address, length) ? null : at(address + done);
            if (region == null || !region.isReadable()) {
                return false;
            }
            long count = region.remaining(address + done, length - done);
            if (region.isShared()) {
                MemorySegment.copy(region.segment(), address + done - region.address(), target, done, count);
            } else if (client == null || !client.read(address + done, target, done, count)) {
                return false;
            }
            done += count;
        }
        return true;
    }

    /**
     * The same for a part of a segment.
     *
     * @param address the first device address
     * @param target where to
     * @param offset where in the segment
     * @param length how much, in bytes
     * @return false if the device may not read all of the range, or the client did not answer
     */
    public boolean read(long address, MemorySegment target, long offset, long length) {
        DmaRegion region = readable(address, length);
        if (region == null) {
            return read(address, target.asSlice(offset, length));
        }
        MemorySegment.copy(region.segment(), address - region.address(), target, offset, length);
        return true;
    }

    /**
     * Writes the client's memory, wherever it is; a range may go over from one region to the next. Waits for the client
     * if the memory is not shared.
     *
     * @param address the first device address
     * @param source what to write
     * @return false if the device may not write all of the range, or the client did not answer; a part may be written
     *     then
     */
    @Override
    public boolean write(long address, MemorySegment source) {
        return interposed == null ? writeClient(address, source) : interposed.write(address, source);
    }

    /** Writes in words, the last one last: who polls for the end of a range finds all of it. */
    void writeInOrder(long address, MemorySegment source) {
        DmaRegion region = at(address);
        long length = source.byteSize();
        if (region == null || !region.isShared()) {
            writeClient(address, source);
            return;
        }
        for (long done = 0; done < length; ) {
            long count = Math.min(length - done, Long.BYTES - ((address + done) & (Long.BYTES - 1)));
            writeClient(address + done, source.asSlice(done, count));
            VarHandle.releaseFence();
            done += count;
        }
    }

    private boolean writeClient(long address, MemorySegment source) {
        long length = source.byteSize();
        for (long done = 0; done < length; ) {
            DmaRegion region = wraps(address, length) ? null : at(address + done);
            if (region == null || !region.isWritable()) {
                return false;
            }
            long count = region.remaining(address + done, length - done);
            if (region.isShared()) {
                MemorySegment.copy(source, done, region.segment(), address + done - region.address(), count);
            } else if (client == null || !client.write(address + done, source, done, count)) {
                return false;
            }
            done += count;
        }
        return true;
    }

    /**
     * The same for a part of a segment.
     *
     * @param address the first device address
     * @param source what to write
     * @param offset where in the segment
     * @param length how much, in bytes
     * @return false if the device may not write all of the range, or the client did not answer
     */
    public boolean write(long address, MemorySegment source, long offset, long length) {
        DmaRegion region = writable(address, length);
        if (region == null) {
            return write(address, source.asSlice(offset, length));
        }
        MemorySegment.copy(source, offset, region.segment(), address - region.address(), length);
        return true;
    }

    /**
     * Whether the device may read all of a range, wherever it is.
     *
     * @param address the first device address
     * @param length how much, in bytes
     * @return whether {@link #read} can work
     */
    public boolean isReadable(long address, long length) {
        boolean readable = allows(address, length, false);
        if (readable && interposed != null) {
            interposed.wanted(address, length);
        }
        return readable;
    }

    /**
     * Whether the device may write all of a range, wherever it is.
     *
     * @param address the first device address
     * @param length how much, in bytes
     * @return whether {@link #write} can work
     */
    public boolean isWritable(long address, long length) {
        return allows(address, length, true);
    }

    boolean allows(long address, long length, boolean writes) {
        for (long done = 0; done < length; ) {
            DmaRegion region = wraps(address, length) ? null : at(address + done);
            if (region == null || !(writes ? region.isWritable() : region.isReadable())) {
                return false;
            }
            done += region.remaining(address + done, length - done);
        }
        return true;
    }

    /** Whether a range goes over the end of the address space. */
    private static boolean wraps(long address, long length) {
        return Long.compareUnsigned(address + (length - 1), address) < 0;
    }

    /**
     * Says where memory of the device itself is among the device addresses, so that what a client puts there is found
     * there. Meanwhile the client cannot map its own memory there.
     *
     * @param address the first device address, a multiple of {@link #PAGE_BYTES}
     * @param memory the memory, which must outlive its use here; where it was before it is no more
     * @return false if something is mapped there already; the memory is nowhere then
     */
    public boolean placeDeviceMemory(long address, MemorySegment memory) {
        removeDeviceMemory(memory);
        if (wraps(address, memory.byteSize())
                || Stream.concat(regions.stream(), deviceMemory.stream())
                        .anyMatch(r -> r.overlaps(address, memory.byteSize()))) {
            return false;
        }
        deviceMemory.add(new DmaRegion(address, memory.byteSize(), memory, true, true, Arena.ofShared()));
        return true;
    }

    /**
     * Has memory of the device be found among the device addresses no more.
     *
     * @param memory the memory; nothing happens if it is not there
     */
    public void removeDeviceMemory(MemorySegment memory) {
        deviceMemory.removeIf(region -> {
            boolean isIt = region.segment().equals(memory);
            if (isIt) {
                forget();
                region.unmap();
            }
            return isIt;
        });
    }

    /** The region that an address lies in. */
    private @Nullable DmaRegion at(long address) {
        int index = GuestRegion.firstAbove(regions, address) - 1;
        if (index >= 0 && regions.get(index).covers(address)) {
            return regions.get(index);
        }
        for (int i = 0; i < deviceMemory.size(); i++) {
            if (deviceMemory.get(i).covers(address)) {
                return deviceMemory.get(i);
            }
        }
        return null;
    }

    /**
     * What is mapped.
     *
     * @return the regions, by address
     */
    public List<DmaRegion> regions() {
        return List.copyOf(regions);
    }

    /** Maps a range; {@code file} stays the caller's and is not needed afterwards. */
    void map(long address, long size, @Nullable Fd file, long offset, boolean readable, boolean writable)
            throws IOException {
        boolean wholePages = ((address | size | offset) & (PAGE_BYTES - 1)) == 0;
        if (!wholePages || size <= 0 || wraps(address, size) || offset < 0 || offset > Long.MAX_VALUE - size) {
            throw new ErrorReply(Errno.EINVAL);
        }
        int index = GuestRegion.firstAbove(regions, address);
        boolean isTaken = at(address) != null
                || (index < regions.size() && regions.get(index).overlaps(address, size))
                || deviceMemory.stream().anyMatch(region -> region.overlaps(address, size));
        if (isTaken) {
            throw new ErrorReply(Errno.EEXIST);
        }
        if (regions.size() == VfioUser.DEFAULT_MAX_DMA_MAPS) {
            throw new ErrorReply(Errno.ENOSPC);
        }
        Arena arena = Arena.ofShared();
        try {
            MemorySegment segment =
                    file == null ? MemorySegment.NULL : map(file, offset, size, readable, writable, arena);
            regions.add(index, new DmaRegion(address, size, segment, readable, writable, arena));
            if (interposed != null) {
                interposed.mapped(address, size);
            }
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

    /**
     * Unmaps all regions in a range. As with the kernel's VFIO it may hold several, since a client that is an IOMMU drops
     * all that a guest mapped at once; a part of a region cannot be unmapped.
     */
    void unmap(long address, long size) throws ErrorReply {
        List<DmaRegion> within = regions.stream()
                .filter(region -> region.overlaps(address, size))
                .toList();
        boolean isWhole = within.stream().allMatch(region -> region.isWithin(address, size));
        if (within.isEmpty() || !isWhole || wraps(address, size)) {
            throw new ErrorReply(Errno.ENOENT);
        }
        regions.removeAll(within);
        forget();
        within.forEach(DmaRegion::unmap);
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
