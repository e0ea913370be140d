package dev.outboard.virtio;

import static dev.outboard.specs.virtio.PackedRing.DESCRIPTOR_ADDRESS;
import static dev.outboard.specs.virtio.PackedRing.DESCRIPTOR_BYTES;
import static dev.outboard.specs.virtio.PackedRing.DESCRIPTOR_WORD;
import static dev.outboard.specs.virtio.PackedRing.EVENT_AT_POSITION;
import static dev.outboard.specs.virtio.PackedRing.EVENT_DISABLE;
import static dev.outboard.specs.virtio.PackedRing.EVENT_ENABLE;
import static dev.outboard.specs.virtio.PackedRing.EVENT_FLAGS;
import static dev.outboard.specs.virtio.PackedRing.EVENT_POSITION;
import static dev.outboard.specs.virtio.PackedRing.EVENT_WRAP_SHIFT;
import static dev.outboard.specs.virtio.PackedRing.FLAGS_SHIFT;
import static dev.outboard.specs.virtio.PackedRing.FLAG_AVAILABLE;
import static dev.outboard.specs.virtio.PackedRing.FLAG_INDIRECT;
import static dev.outboard.specs.virtio.PackedRing.FLAG_NEXT;
import static dev.outboard.specs.virtio.PackedRing.FLAG_USED;
import static dev.outboard.specs.virtio.PackedRing.FLAG_WRITE;
import static dev.outboard.specs.virtio.PackedRing.ID_SHIFT;

import dev.outboard.specs.virtio.PackedRing;
import dev.outboard.specs.virtio.VirtioFeature;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * The device's side of a packed virtqueue. A position is an index in the ring, with the wrap counter in bit 15; both of
 * the queue's, where the next request comes and where the next used descriptor goes, in one number of 32 bits.
 */
final class PackedDeviceRing extends DeviceRing {
    private static final int WRAP = 1 << EVENT_WRAP_SHIFT;
    private static final int INDEX_MASK = WRAP - 1;
    private static final int NO_POSITION = -1;
    /** Where a new queue begins: both wrap counters are 1. 2.8.1. */
    static final int START = WRAP | WRAP << Short.SIZE;

    private final int size;
    private final boolean indirect;
    private final boolean eventIndex;
    private final GuestArea ring;
    private final GuestArea driverEvent;
    private final GuestArea deviceEvent;

    private int next;
    private boolean nextWrap;
    private int used;
    private boolean usedWrap;
    /** Where the first used descriptor is that the driver does not see yet, and its word. */
    private int held = NO_POSITION;

    private long heldWord;
    /** How far the used descriptors have gone on since the driver was last told. */
    private int unpublished;

    PackedDeviceRing(GuestMemory memory, QueueAddresses at, long features, int position) throws BrokenRingException {
        super(memory);
        size = at.size();
        if (size < 1 || size > PackedRing.MAXIMUM_SIZE) {
            throw new BrokenRingException(size + " descriptors, which is not 1 to " + PackedRing.MAXIMUM_SIZE);
        }
        if ((at.descriptors() & (PackedRing.DESCRIPTOR_ALIGNMENT - 1)) != 0
                || ((at.driver() | at.device()) & (PackedRing.EVENT_ALIGNMENT - 1)) != 0) {
            throw new BrokenRingException("rings that are not aligned");
        }
        indirect = (features & VirtioFeature.INDIRECT_DESC) != 0;
        eventIndex = (features & VirtioFeature.EVENT_IDX) != 0;
        ring = new GuestArea(memory, at.descriptors(), PackedRing.descriptorBytes(size), true);
        driverEvent = new GuestArea(memory, at.driver(), PackedRing.EVENT_BYTES, false);
        deviceEvent = new GuestArea(memory, at.device(), PackedRing.EVENT_BYTES, true);
        rewind(position);
        used = position >>> Short.SIZE & INDEX_MASK;
        usedWrap = (position >>> Short.SIZE & WRAP) != 0;
        if (next >= size || used >= size) {
            throw new BrokenRingException("a start at " + next + " and " + used + " in a queue of " + size);
        }
    }

    @Override
    boolean isReachable() {
        return ring.isReachable() && driverEvent.isReachable() && deviceEvent.isReachable();
    }

    private static long at(int index) {
        return (long) index * DESCRIPTOR_BYTES;
    }

    /** Whether a descriptor's word says that the driver made it available in this round. */
    private boolean isAvailable(long word) {
        int flags = (int) (word >>> FLAGS_SHIFT);
        return ((flags & FLAG_AVAILABLE) != 0) == nextWrap && ((flags & FLAG_USED) != 0) != nextWrap;
    }

    @Override
    boolean isPending() {
        return isAvailable(ring.getLongAcquire(at(next) + DESCRIPTOR_WORD));
    }

    @Override
    boolean take(DescriptorChain chain) throws BrokenRingException {
        long word = ring.getLongAcquire(at(next) + DESCRIPTOR_WORD);
        if (!isAvailable(word)) {
            return false;
        }
        chain.clear();
        int index = next;
        int count = 1;
        while (true) {
            long address = ring.getLong(at(index) + DESCRIPTOR_ADDRESS);
            int flags = (int) (word >>> FLAGS_SHIFT);
            index = index + 1 == size ? 0 : index + 1;
            if ((flags & FLAG_INDIRECT) != 0) {
                takeTable(address, (int) word, flags, chain);
                break;
            }
            chain.add(address, (int) word, (flags & FLAG_WRITE) != 0);
            if ((flags & FLAG_NEXT) == 0) {
                break;
            }
            if (++count > size) {
                throw new BrokenRingException("a chain of descriptors that does not end");
            }
            word = ring.getLong(at(index) + DESCRIPTOR_WORD);
        }
        // The id is in the last one. 2.8.6.
        chain.id = (int) (word >>> ID_SHIFT) & 0xffff;
        chain.ringDescriptors = count;
        nextWrap ^= next + count >= size;
        next = index;
        return true;
    }

    private void takeTable(long address, int length, int flags, DescriptorChain chain) throws BrokenRingException {
        if (!indirect || (flags & FLAG_NEXT) != 0) {
            throw new BrokenRingException(
                    "an indirect descriptor " + (indirect ? "with a next one" : "although that was not agreed on"));
        }
        GuestRegion region = table(address, length, DESCRIPTOR_BYTES);
        MemorySegment segment = region.segment();
        long end = address - region.address() + length;
        for (long at = address - region.address(); at < end; at += DESCRIPTOR_BYTES) {
            long buffer = (long) RingArea.LONG.getOpaque(segment, at + DESCRIPTOR_ADDRESS);
            long word = (long) RingArea.LONG.getOpaque(segment, at + DESCRIPTOR_WORD);
            int own = (int) (word >>> FLAGS_SHIFT);
            if ((own & FLAG_INDIRECT) != 0) {
                throw new BrokenRingException("an indirect descriptor in a table of descriptors");
            }
            // All of the table counts; there is no next. 2.8.7.
            chain.add(buffer, (int) word, (own & FLAG_WRITE) != 0);
        }
    }

    @Override
    int position() {
        return next | (nextWrap ? WRAP : 0) | used << Short.SIZE | (usedWrap ? WRAP << Short.SIZE : 0);
    }

    @Override
    void rewind(int position) {
        next = position & INDEX_MASK;
        nextWrap = (position & WRAP) != 0;
    }

    @Override
    void complete(DescriptorChain chain, int writtenBytes) {
        long flags = (usedWrap ? FLAG_AVAILABLE | FLAG_USED : 0) | (writtenBytes != 0 ? FLAG_WRITE : 0);
        long word = flags << FLAGS_SHIFT | (long) chain.id << ID_SHIFT | Integer.toUnsignedLong(writtenBytes);
        if (held == NO_POSITION) {
            // The driver looks at them in order: while it does not see this one, it sees none.
            held = used;
            heldWord = word;
        } else {
            ring.setLong(at(used) + DESCRIPTOR_WORD, word);
        }
        unpublished += chain.ringDescriptors;
        used += chain.ringDescriptors;
        if (used >= size) {
            used -= size;
            usedWrap = !usedWrap;
        }
    }

    @Override
    boolean publish() {
        if (held == NO_POSITION) {
            return false;
        }
        ring.setLongRelease(at(held) + DESCRIPTOR_WORD, heldWord);
        held = NO_POSITION;
        int passed = unpublished;
        unpublished = 0;
        // The driver writes what it wants, then looks at the ring; we the other way round. 2.8.10.
        VarHandle.fullFence();
        return isWanted(driverEvent, size, used, usedWrap, passed);
    }

    /** Whether the other side wants to know of so many descriptors, the last of which is before an index. 2.8.10. */
    static boolean isWanted(RingArea event, int size, int index, boolean wrap, int passed) {
        int flags = event.getShortAcquire(EVENT_FLAGS);
        if (flags != EVENT_AT_POSITION) {
            return flags == EVENT_ENABLE;
        }
        int wanted = event.getShort(EVENT_POSITION);
        // A position of the round before is below zero in this one.
        int position = (wanted & INDEX_MASK) - (((wanted & WRAP) != 0) == wrap ? 0 : size);
        return passes(position, index, index - passed);
    }

    @Override
    void enableNotifications() {
        if (eventIndex) {
            deviceEvent.setShort(EVENT_POSITION, next | (nextWrap ? WRAP : 0));
            deviceEvent.setShortRelease(EVENT_FLAGS, EVENT_AT_POSITION);
        } else {
            deviceEvent.setShort(EVENT_FLAGS, EVENT_ENABLE);
        }
        VarHandle.fullFence();
    }

    @Override
    void disableNotifications() {
        deviceEvent.setShort(EVENT_FLAGS, EVENT_DISABLE);
    }
}
