package dev.outboard.virtio.vhost;

import dev.outboard.virtio.GuestRegion;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A range of the front end's memory, which has two addresses: the guest's, and that in the front end's process. */
final class FrontEndRegion implements GuestRegion {
    private final long address;
    private final long userAddress;
    private final MemorySegment segment;
    private final Arena arena;
    private boolean mapped = true;

    FrontEndRegion(long address, long userAddress, MemorySegment segment, Arena arena) {
        this.address = address;
        this.userAddress = userAddress;
        this.segment = segment;
        this.arena = arena;
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    @Override
    public boolean isMapped() {
        return mapped;
    }

    long userAddress() {
        return userAddress;
    }

    /** Whether all of a range of user addresses lies here. */
    boolean containsUser(long start, long length) {
        return GuestRegion.contains(userAddress, segment.byteSize(), start, length);
    }

    /** Whether a range of guest addresses, or one of user addresses, takes a part of this region. */
    boolean overlaps(long start, long user, long size) {
        long own = segment.byteSize();
        return overlap(address, own, start, size) || overlap(userAddress, own, user, size);
    }

    private static boolean overlap(long one, long oneSize, long other, long otherSize) {
        return Long.compareUnsigned(other - one, oneSize) < 0 || Long.compareUnsigned(one - other, otherSize) < 0;
    }

    void unmap() {
        mapped = false;
        arena.close();
    }
}
