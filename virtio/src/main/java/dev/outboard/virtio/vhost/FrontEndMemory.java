package dev.outboard.virtio.vhost;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.linux.StructView;
import dev.outboard.virtio.GuestMemory;
import dev.outboard.virtio.GuestRegion;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The memory that a front end shares, by guest address; and by user address, which virtqueues are told in. */
final class FrontEndMemory implements GuestMemory {
    /** As many as QEMU ever uses. */
    static final int MAXIMUM_REGIONS = 512;

    private static final long PAGE_BYTES = 4096;

    // Sorted by guest address, and none overlaps another.
    private final List<FrontEndRegion> regions = new ArrayList<>();
    private @Nullable FrontEndRegion last;

    @Override
    public @Nullable GuestRegion readable(long address, long length) {
        return find(address, length);
    }

    @Override
    public @Nullable GuestRegion writable(long address, long length) {
        return find(address, length);
    }

    private @Nullable FrontEndRegion find(long address, long length) {
        FrontEndRegion recent = last;
        if (recent != null && recent.contains(address, length)) {
            return recent;
        }
        FrontEndRegion found = at(address);
        if (found == null || !found.contains(address, length)) {
            return null;
        }
        last = found;
        return found;
    }

    @Override
    public boolean read(long address, MemorySegment target) {
        return copy(address, target, false);
    }

    @Override
    public boolean write(long address, MemorySegment source) {
        return copy(address, source, true);
    }

    private boolean copy(long address, MemorySegment own, boolean toGuest) {
        long length = own.byteSize();
        for (long done = 0; done < length; ) {
            FrontEndRegion region = at(address + done);
            if (region == null) {
                return false;
            }
            MemorySegment segment = region.segment();
            long offset = address + done - region.address();
            long count = Math.min(length - done, segment.byteSize() - offset);
            if (toGuest) {
                MemorySegment.copy(own, done, segment, offset, count);
            } else {
                MemorySegment.copy(segment, offset, own, done, count);
            }
            done += count;
            if (done < length && address + done == 0) {
                // Beyond the last address there is none.
                return false;
            }
        }
        return true;
    }

    /** The region that a guest address lies in. */
    private @Nullable FrontEndRegion at(long address) {
        int above = GuestRegion.firstAbove(regions, address);
        FrontEndRegion below = above == 0 ? null : regions.get(above - 1);
        return below != null && below.contains(address, 1) ? below : null;
    }

    /** The guest address that a user address stands for. */
    long guestAddress(long userAddress) throws RefusedException {
        for (FrontEndRegion region : regions) {
            if (region.containsUser(userAddress, 1)) {
                return userAddress - region.userAddress() + region.address();
            }
        }
        throw new RefusedException("no memory at user address 0x" + Long.toHexString(userAddress));
    }

    int count() {
        return regions.size();
    }

    /** Maps a region; the descriptor stays the caller's and is not needed afterwards. */
    void add(StructView asked, Fd file) throws RefusedException {
        long address = asked.get("guest_address");
        long user = asked.get("user_address");
        long size = asked.get("size");
        long offset = asked.get("mmap_offset");
        if (((address | user | size | offset) & (PAGE_BYTES - 1)) != 0
                || size <= 0
                || wraps(address, size)
                || wraps(user, size)
                || offset < 0
                || offset > Long.MAX_VALUE - size) {
            throw new RefusedException("a memory region that is not of whole pages: " + text(asked));
        }
        if (regions.stream().anyMatch(region -> region.overlaps(address, user, size))) {
            throw new RefusedException("a memory region where there is one: " + text(asked));
        }
        if (regions.size() == MAXIMUM_REGIONS) {
            throw new RefusedException("more than " + MAXIMUM_REGIONS + " memory regions");
        }
        Arena arena = Arena.ofShared();
        try {
            regions.add(
                    GuestRegion.firstAbove(regions, address),
                    new FrontEndRegion(address, user, map(file, offset, size, arena), arena));
        } catch (LinuxException e) {
            arena.close();
            throw new RefusedException("a memory region that cannot be mapped, " + text(asked), e);
        } catch (RefusedException e) {
            arena.close();
            throw e;
        }
    }

    private static MemorySegment map(Fd file, long offset, long size, Arena arena)
            throws LinuxException, RefusedException {
        // A mapping beyond the end of its file maps, and faults when it is touched.
        long fileBytes = file.regularFileBytes();
        if (fileBytes >= 0 && fileBytes < offset + size) {
            throw new RefusedException("a memory region that is larger than its file of " + fileBytes + " bytes");
        }
        return file.mmap(offset, size, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
    }

    private static boolean wraps(long address, long length) {
        return Long.compareUnsigned(address + (length - 1), address) < 0;
    }

    private static String text(StructView region) {
        return "0x%x+0x%x at user address 0x%x"
                .formatted(region.get("guest_address"), region.get("size"), region.get("user_address"));
    }

    /** Unmaps the region that has these addresses and this size. */
    void remove(StructView asked) throws RefusedException {
        FrontEndRegion region = at(asked.get("guest_address"));
        if (region == null
                || region.address() != asked.get("guest_address")
                || region.userAddress() != asked.get("user_address")
                || region.segment().byteSize() != asked.get("size")) {
            throw new RefusedException("no such memory region: " + text(asked));
        }
        regions.remove(region);
        last = null;
        region.unmap();
    }

    void clear() {
        last = null;
        regions.forEach(FrontEndRegion::unmap);
        regions.clear();
    }
}
