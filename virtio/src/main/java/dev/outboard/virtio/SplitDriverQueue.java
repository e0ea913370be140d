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

import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.virtio.SplitRing;
import java.lang.invoke.VarHandle;

/** The driver's side of a split virtqueue. A request's id is its first descriptor. */
final class SplitDriverQueue extends DriverQueue {
    private static final int INDEX_MASK = 0xffff;
    /** So that what each side writes is in cache lines of its own. */
    private static final long AREA_ALIGNMENT = 128;

    private final RingArea table;
    private final RingArea available;
    private final RingArea used;
    /** The free descriptors, linked; and the links within each chain, which the device cannot change. */
    private final int[] links;

    private int firstFree;
    private int added;
    private int published;
    private int seen;
    private int usedIndex;

    SplitDriverQueue(String name, int size, long features, int maximumBuffers, DmaMemory memory) {
        super(name, size, features, maximumBuffers, memory, ringBytes(size));
        table = new RingArea(memory.segment().asSlice(0, SplitRing.descriptorBytes(size)));
        available = new RingArea(memory.segment().asSlice(availableAt(size), SplitRing.availableBytes(size)));
        used = new RingArea(memory.segment().asSlice(usedAt(size), SplitRing.usedBytes(size)));
        links = new int[size];
        for (int i = 0; i < size; i++) {
            links[i] = i + 1;
        }
        setInterrupting(false);
    }

    private static long aligned(long bytes) {
        return (bytes + AREA_ALIGNMENT - 1) & -AREA_ALIGNMENT;
    }

    private static long availableAt(int size) {
        return aligned(SplitRing.descriptorBytes(size));
    }

    private static long usedAt(int size) {
        return aligned(availableAt(size) + SplitRing.availableBytes(size));
    }

    static long ringBytes(int size) {
        return aligned(usedAt(size) + SplitRing.usedBytes(size));
    }

    @Override
    public QueueAddresses addresses() {
        long start = memory().deviceAddress();
        return new QueueAddresses(size, start, start + availableAt(size), start + usedAt(size));
    }

    private static long word(int length, int flags, int next) {
        return (long) next << NEXT_SHIFT | (long) flags << FLAGS_SHIFT | Integer.toUnsignedLong(length);
    }

    private void setDescriptor(int index, long address, long word) {
        long at = (long) index * DESCRIPTOR_BYTES;
        table.setLong(at + DESCRIPTOR_ADDRESS, address);
        table.setLong(at + DESCRIPTOR_WORD, word);
    }

    private int flags(int buffer) {
        return (buffer >= readableBuffers ? FLAG_WRITE : 0) | (buffer + 1 < buffers ? FLAG_NEXT : 0);
    }

    @Override
    int putIndirect(int tableBytes) {
        int id = firstFree;
        for (int i = 0; i < buffers; i++) {
            setTableEntry(id, i, word(lengths[i], flags(i), i + 1));
        }
        setDescriptor(id, tableAddress(id), word(tableBytes, FLAG_INDIRECT, 0));
        firstFree = links[id];
        makeAvailable(id);
        return id;
    }

    @Override
    int putChain() {
        int id = firstFree;
        int index = id;
        for (int i = 0; i < buffers; i++) {
            int next = links[index];
            setDescriptor(index, addresses[i], word(lengths[i], flags(i), next & INDEX_MASK));
            index = next;
        }
        firstFree = index;
        makeAvailable(id);
        return id;
    }

    private void makeAvailable(int id) {
        available.setShort(AVAILABLE_RING + (long) (added & (size - 1)) * AVAILABLE_ENTRY_BYTES, id);
        added = (added + 1) & INDEX_MASK;
    }

    @Override
    public boolean publish() {
        int previous = published;
        if (added == previous) {
            return false;
        }
        published = added;
        available.setShortRelease(AVAILABLE_INDEX, added);
        // The device writes what it wants, then looks at the index; we the other way round. 2.7.10.
        VarHandle.fullFence();
        return eventIndex
                ? DeviceRing.passes(used.getShort(SplitRing.availableEvent(size)), added, previous)
                : (used.getShort(USED_FLAGS) & USED_NO_NOTIFY) == 0;
    }

    @Override
    public boolean isPending() throws DeviceException {
        if (seen != usedIndex) {
            return true;
        }
        int index = used.getShortAcquire(USED_INDEX);
        if (((index - seen) & INDEX_MASK) > ((published - seen) & INDEX_MASK)) {
            throw failed("says that it used up to request " + index + ", when " + published + " were made");
        }
        usedIndex = index;
        return index != seen;
    }

    @Override
    long nextUsed() {
        long at = USED_RING + (long) (seen & (size - 1)) * USED_ENTRY_BYTES;
        return (long) used.getInt(at + USED_LENGTH) << Integer.SIZE | Integer.toUnsignedLong(used.getInt(at + USED_ID));
    }

    @Override
    void release(int id) {
        int last = id;
        for (int i = 1; i < descriptors[id]; i++) {
            last = links[last];
        }
        links[last] = firstFree;
        firstFree = id;
        seen = (seen + 1) & INDEX_MASK;
    }

    @Override
    public void setInterrupting(boolean wanted) {
        if (eventIndex) {
            // Not wanted: as far away as can be, and moved on at each call.
            available.setShort(SplitRing.usedEvent(size), wanted ? seen : seen - 1);
        } else {
            available.setShort(AVAILABLE_FLAGS, wanted ? 0 : AVAILABLE_NO_INTERRUPT);
        }
        VarHandle.fullFence();
    }
}
