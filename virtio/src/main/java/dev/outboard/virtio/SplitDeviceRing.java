package dev.outboard.virtio;

import static dev.outboard.specs.virtio.SplitRing.AVAILABLE_ENTRY_BYTES;
import static dev.outboard.specs.virtio.SplitRing.AVAILABLE_FLAGS;
import static dev.outboard.specs.virtio.SplitRing.AVAILABLE_INDEX;
import static dev.outboard.specs.virtio.SplitRing.AVAILABLE_NO_INTERRUPT;
import static dev.outboard.specs.virtio.SplitRing.AVAILABLE_RING;
import static dev.outboard.specs.virtio.SplitRing.DESCRIPTOR_ADDRESS;
import static dev.outboard.specs.virtio.SplitRing.DESCRIPTOR_BYTES;
import static dev.outboard.specs.virtio.SplitRing.DESCRIPTOR_WORD;
import static dev.outboard.specs.virtio.SplitRing.FLAGS_SHIFT;
import static dev.outboard.specs.virtio.SplitRing.FLAG_INDIRECT;
import static dev.outboard.specs.virtio.SplitRing.FLAG_NEXT;
import static dev.outboard.specs.virtio.SplitRing.FLAG_WRITE;
import static dev.outboard.specs.virtio.SplitRing.NEXT_SHIFT;
import static dev.outboard.specs.virtio.SplitRing.USED_ENTRY_BYTES;
import static dev.outboard.specs.virtio.SplitRing.USED_FLAGS;
import static dev.outboard.specs.virtio.SplitRing.USED_ID;
import static dev.outboard.specs.virtio.SplitRing.USED_INDEX;
import static dev.outboard.specs.virtio.SplitRing.USED_LENGTH;
import static dev.outboard.specs.virtio.SplitRing.USED_NO_NOTIFY;
import static dev.outboard.specs.virtio.SplitRing.USED_RING;

import dev.outboard.specs.virtio.SplitRing;
import dev.outboard.specs.virtio.VirtioFeature;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/** The device's side of a split virtqueue. */
final class SplitDeviceRing extends DeviceRing {
    private static final int INDEX_MASK = 0xffff;

    private final int size;
    private final boolean indirect;
    private final boolean eventIndex;
    private final GuestArea descriptors;
    private final GuestArea available;
    private final GuestArea used;

    /** How many were taken, modulo 65536. */
    private int taken;
    /** What the driver's index was when it was last read. */
    private int availableIndex;
    /** How many were completed, modulo 65536; those up to {@link #published} are seen by the driver. */
    private int completed;

    private int published;

    SplitDeviceRing(GuestMemory memory, QueueAddresses at, long features, int position) throws BrokenRingException {
        super(memory);
        size = at.size();
        if (size < 1 || size > SplitRing.MAXIMUM_SIZE || Integer.bitCount(size) != 1) {
            throw new BrokenRingException(
                    size + " descriptors, which is no power of two up to " + SplitRing.MAXIMUM_SIZE);
        }
        if ((at.descriptors() & (SplitRing.DESCRIPTOR_ALIGNMENT - 1)) != 0
                || (at.driver() & (SplitRing.AVAILABLE_ALIGNMENT - 1)) != 0
                || (at.device() & (SplitRing.USED_ALIGNMENT - 1)) != 0) {
            throw new BrokenRingException("rings that are not aligned");
        }
        indirect = (features & VirtioFeature.INDIRECT_DESC) != 0;
        eventIndex = (features & VirtioFeature.EVENT_IDX) != 0;
        descriptors = new GuestArea(memory, at.descriptors(), SplitRing.descriptorBytes(size), false);
        available = new GuestArea(memory, at.driver(), SplitRing.availableBytes(size), false);
        used = new GuestArea(memory, at.device(), SplitRing.usedBytes(size), true);
        taken = position & INDEX_MASK;
        availableIndex = taken;
        // A queue that goes on where another process left it has completed what it had taken.
        completed = taken;
        published = taken;
    }

    @Override
    boolean isReachable() {
        return descriptors.isReachable() && available.isReachable() && used.isReachable();
    }

    @Override
    boolean isPending() throws BrokenRingException {
        if (taken != availableIndex) {
            return true;
        }
        int index = available.getShortAcquire(AVAILABLE_INDEX);
        if (((index - taken) & INDEX_MASK) > size) {
            throw new BrokenRingException(
                    "an available index of " + index + " when " + taken + " were taken, in a queue of " + size);
        }
        availableIndex = index;
        return index != taken;
    }

    @Override
    boolean take(DescriptorChain chain) throws BrokenRingException {
        if (!isPending()) {
            return false;
        }
        int head = available.getShort(AVAILABLE_RING + (long) (taken & (size - 1)) * AVAILABLE_ENTRY_BYTES);
        chain.clear();
        chain.id = head;
        chain.ringDescriptors = 1;
        walk(head, chain);
        taken = (taken + 1) & INDEX_MASK;
        return true;
    }

    private void walk(int head, DescriptorChain chain) throws BrokenRingException {
        int next = head;
        for (int seen = 0; seen < size; seen++) {
            if (next >= size) {
                throw new BrokenRingException("a descriptor " + next + " in a queue of " + size);
            }
            long at = (long) next * DESCRIPTOR_BYTES;
            long address = descriptors.getLong(at + DESCRIPTOR_ADDRESS);
            // Read once: the driver may write it meanwhile.
            long word = descriptors.getLong(at + DESCRIPTOR_WORD);
            int flags = (int) (word >>> FLAGS_SHIFT) & INDEX_MASK;
            if ((flags & FLAG_INDIRECT) != 0) {
                walkTable(address, (int) word, flags, chain);
                return;
            }
            chain.add(address, (int) word, (flags & FLAG_WRITE) != 0);
            if ((flags & FLAG_NEXT) == 0) {
                return;
            }
            next = (int) (word >>> NEXT_SHIFT);
        }
        throw new BrokenRingException("a chain of descriptors that does not end");
    }

    private void walkTable(long address, int length, int flags, DescriptorChain chain) throws BrokenRingException {
        if (!indirect || (flags & FLAG_NEXT) != 0) {
            throw new BrokenRingException(
                    "an indirect descriptor " + (indirect ? "with a next one" : "although that was not agreed on"));
        }
        GuestRegion region = table(address, length, DESCRIPTOR_BYTES);
        MemorySegment segment = region.segment();
        long start = address - region.address();
        int count = length / DESCRIPTOR_BYTES;
        int next = 0;
        for (int seen = 0; seen < count; seen++) {
            if (next >= count) {
                throw new BrokenRingException("a descriptor " + next + " in a table of " + count);
            }
            long at = start + (long) next * DESCRIPTOR_BYTES;
            long buffer = (long) RingArea.LONG.getOpaque(segment, at + DESCRIPTOR_ADDRESS);
            long word = (long) RingArea.LONG.getOpaque(segment, at + DESCRIPTOR_WORD);
            int own = (int) (word >>> FLAGS_SHIFT) & INDEX_MASK;
            if ((own & FLAG_INDIRECT) != 0) {
                throw new BrokenRingException("an indirect descriptor in a table of descriptors");
            }
            chain.add(buffer, (int) word, (own & FLAG_WRITE) != 0);
            if ((own & FLAG_NEXT) == 0) {
                return;
            }
            next = (int) (word >>> NEXT_SHIFT);
        }
        throw new BrokenRingException("a table of descriptors that does not end");
    }

    @Override
    int position() {
        return taken;
    }

    @Override
    void rewind(int position) {
        taken = position;
    }

    @Override
    void complete(DescriptorChain chain, int writtenBytes) {
        long at = USED_RING + (long) (completed & (size - 1)) * USED_ENTRY_BYTES;
        used.setInt(at + USED_ID, chain.id);
        used.setInt(at + USED_LENGTH, writtenBytes);
        completed = (completed + 1) & INDEX_MASK;
    }

    @Override
    boolean publish() {
        int previous = published;
        if (completed == previous) {
            return false;
        }
        published = completed;
        used.setShortRelease(USED_INDEX, completed);
        // The driver writes what it wants, then looks at the index; we the other way round. 2.7.7.
        VarHandle.fullFence();
        return eventIndex
                ? passes(available.getShort(SplitRing.usedEvent(size)), completed, previous)
                : (available.getShort(AVAILABLE_FLAGS) & AVAILABLE_NO_INTERRUPT) == 0;
    }

    @Override
    void enableNotifications() {
        if (eventIndex) {
            used.setShort(SplitRing.availableEvent(size), taken);
        } else {
            used.setShort(USED_FLAGS, 0);
        }
        VarHandle.fullFence();
    }

    @Override
    void disableNotifications() {
        // With an event index, the one that was passed is as good as none.
        if (!eventIndex) {
            used.setShort(USED_FLAGS, USED_NO_NOTIFY);
        }
    }
}
