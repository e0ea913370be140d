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

import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.virtio.PackedRing;
import java.lang.invoke.VarHandle;

/** The driver's side of a packed virtqueue. */
final class PackedDriverQueue extends DriverQueue {
    private static final int ID_MASK = 0xffff;
    private static final int NO_POSITION = -1;
    /** Each side's event suppression structure in a cache line of its own. */
    private static final long EVENT_SPACING = 128;

    private final RingArea ring;
    private final RingArea driverEvent;
    private final RingArea deviceEvent;
    private final int[] freeIds;
    private int freeIdCount;
    private int next;
    private boolean nextWrap = true;
    private int used;
    private boolean usedWrap = true;
    /** Where the first descriptor is that the device does not see yet, and its word. */
    private int held = NO_POSITION;

    private long heldWord;
    private int unpublished;

    PackedDriverQueue(String name, int size, long features, int maximumBuffers, DmaMemory memory) {
        super(name, size, features, maximumBuffers, memory, ringBytes(size));
        ring = new RingArea(memory.segment().asSlice(0, PackedRing.descriptorBytes(size)));
        driverEvent = new RingArea(memory.segment().asSlice(driverEventAt(size), PackedRing.EVENT_BYTES));
        deviceEvent = new RingArea(memory.segment().asSlice(deviceEventAt(size), PackedRing.EVENT_BYTES));
        freeIds = new int[size];
        for (int id = 0; id < size; id++) {
            freeIds[id] = size - 1 - id;
        }
        freeIdCount = size;
        setInterrupting(false);
    }

    private static long driverEventAt(int size) {
        return (PackedRing.descriptorBytes(size) + EVENT_SPACING - 1) & -EVENT_SPACING;
    }

    private static long deviceEventAt(int size) {
        return driverEventAt(size) + EVENT_SPACING;
    }

    static long ringBytes(int size) {
        return deviceEventAt(size) + EVENT_SPACING;
    }

    @Override
    public QueueAddresses addresses() {
        long start = memory().deviceAddress();
        return new QueueAddresses(size, start, start + driverEventAt(size), start + deviceEventAt(size));
    }

    private static long at(int index) {
        return (long) index * DESCRIPTOR_BYTES;
    }

    private static long word(int length, int id, int flags) {
        return (long) flags << FLAGS_SHIFT | (long) id << ID_SHIFT | Integer.toUnsignedLong(length);
    }

    private int writeFlag(int buffer) {
        return buffer >= readableBuffers ? FLAG_WRITE : 0;
    }

    @Override
    int putIndirect(int tableBytes) {
        int id = freeIds[--freeIdCount];
        for (int i = 0; i < buffers; i++) {
            setTableEntry(id, i, word(lengths[i], 0, writeFlag(i)));
        }
        put(tableAddress(id), tableBytes, id, FLAG_INDIRECT);
        return id;
    }

    @Override
    int putChain() {
        int id = freeIds[--freeIdCount];
        for (int i = 0; i < buffers; i++) {
            put(addresses[i], lengths[i], id, writeFlag(i) | (i + 1 < buffers ? FLAG_NEXT : 0));
        }
        return id;
    }

    private void put(long address, int length, int id, int flags) {
        long word = word(length, id, flags | (nextWrap ? FLAG_AVAILABLE : FLAG_USED));
        ring.setLong(at(next) + DESCRIPTOR_ADDRESS, address);
        if (held == NO_POSITION) {
            // The device looks at them in order: while it does not see this one, it sees none.
            held = next;
            heldWord = word;
        } else {
            ring.setLong(at(next) + DESCRIPTOR_WORD, word);
        }
        unpublished++;
        if (++next == size) {
            next = 0;
            nextWrap = !nextWrap;
        }
    }

    @Override
    public boolean publish() {
        if (held == NO_POSITION) {
            return false;
        }
        ring.setLongRelease(at(held) + DESCRIPTOR_WORD, heldWord);
        held = NO_POSITION;
        int passed = unpublished;
        unpublished = 0;
        // The device writes what it wants, then looks at the ring; we the other way round. 2.8.10.
        VarHandle.fullFence();
        return PackedDeviceRing.isWanted(deviceEvent, size, next, nextWrap, passed);
    }

    private boolean isUsed(long word) {
        int flags = (int) (word >>> FLAGS_SHIFT);
        return ((flags & FLAG_AVAILABLE) != 0) == usedWrap && ((flags & FLAG_USED) != 0) == usedWrap;
    }

    @Override
    public boolean isPending() {
        return isUsed(ring.getLongAcquire(at(used) + DESCRIPTOR_WORD));
    }

    @Override
    long nextUsed() {
        long word = ring.getLongAcquire(at(used) + DESCRIPTOR_WORD);
        // The length counts whether or not the flag says so: some devices never say it.
        return word << Integer.SIZE | (word >>> ID_SHIFT & ID_MASK);
    }

    @Override
    void release(int id) {
        used += descriptors[id];
        if (used >= size) {
            used -= size;
            usedWrap = !usedWrap;
        }
        freeIds[freeIdCount++] = id;
    }

    @Override
    public void setInterrupting(boolean wanted) {
        if (!wanted) {
            driverEvent.setShort(EVENT_FLAGS, EVENT_DISABLE);
        } else if (eventIndex) {
            driverEvent.setShort(EVENT_POSITION, used | (usedWrap ? 1 << EVENT_WRAP_SHIFT : 0));
            driverEvent.setShortRelease(EVENT_FLAGS, EVENT_AT_POSITION);
        } else {
            driverEvent.setShort(EVENT_FLAGS, EVENT_ENABLE);
        }
        VarHandle.fullFence();
    }
}
