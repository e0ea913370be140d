package dev.outboard.virtio;

import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.virtio.SplitRing;
import dev.outboard.specs.virtio.VirtioFeature;
import java.io.IOException;
import java.util.Arrays;

/**
 * The driver's side of a virtqueue, in memory of its own that the device reaches. VIRTIO 1.2, 2.6 to 2.8.
 *
 * <p>A request is put together by {@link #readable} and {@link #writable}, added by {@link #add}, and shown to the device
 * with all others that were added, by {@link #publish}; {@link #poll} finds those that the device has used. Belongs to one
 * thread at a time, without locks. Nothing but its creation allocates or makes a system call.
 *
 * <p>What the device writes is checked: a queue whose device says what cannot be throws {@link DeviceException}, again at
 * each later call, and the device has to be reset.
 */
public abstract sealed class DriverQueue implements AutoCloseable permits SplitDriverQueue, PackedDriverQueue {
    /** The features that a queue can be created with; a driver accepts them. */
    public static final long FEATURES =
            VirtioFeature.INDIRECT_DESC | VirtioFeature.EVENT_IDX | VirtioFeature.RING_PACKED;

    /** What {@link #poll} returns if the device has used nothing more. */
    public static final int NONE = -1;

    private static final int DESCRIPTOR_BYTES = SplitRing.DESCRIPTOR_BYTES;

    final String name;
    final int size;
    final boolean eventIndex;
    /** By id: how many descriptors of the ring the request takes; 0 if it is not on its way. */
    final int[] descriptors;
    /** The buffers of the request that is being put together: those to read, then those to write. */
    final long[] addresses;

    final int[] lengths;
    int buffers;
    int readableBuffers;
    int free;

    private final int maximumBuffers;
    private final DmaMemory memory;
    private final RingArea tables;
    private final long tablesAddress;
    private final boolean indirect;
    /** By id: how much the device may write. */
    private final long[] writableBytes;

    private long pendingWritable;
    private long usedBytes;
    private boolean failed;

    /** The memory comes with the rings in its first bytes, and the tables behind them. */
    DriverQueue(String name, int size, long features, int maximumBuffers, DmaMemory memory, long ringBytes) {
        this.name = name;
        this.size = size;
        this.memory = memory;
        this.maximumBuffers = maximumBuffers;
        eventIndex = (features & VirtioFeature.EVENT_IDX) != 0;
        indirect = (features & VirtioFeature.INDIRECT_DESC) != 0 && maximumBuffers > 1;
        long tableBytes = memory.sizeBytes() - ringBytes;
        tables = new RingArea(memory.segment().asSlice(ringBytes, tableBytes));
        tablesAddress = memory.deviceAddress() + ringBytes;
        descriptors = new int[size];
        writableBytes = new long[size];
        addresses = new long[maximumBuffers];
        lengths = new int[maximumBuffers];
        free = size;
        memory.segment().fill((byte) 0);
    }

    /**
     * Creates a queue. The device does not know of it yet.
     *
     * @param dma where its memory comes from
     * @param name what it is, for messages
     * @param size how many descriptors it has, a power of two up to {@link SplitRing#MAXIMUM_SIZE}
     * @param features what driver and device agreed on, of which {@link #FEATURES} count
     * @param maximumBuffers the most buffers of a request, from 1 to the queue's size
     * @return the queue
     * @throws IOException if there is no memory
     */
    public static DriverQueue create(DmaAllocator dma, String name, int size, long features, int maximumBuffers)
            throws IOException {
        if (size < 1 || size > SplitRing.MAXIMUM_SIZE || Integer.bitCount(size) != 1) {
            throw new IllegalArgumentException(
                    name + " of " + size + " descriptors; give a power of two up to " + SplitRing.MAXIMUM_SIZE);
        }
        if (maximumBuffers < 1 || maximumBuffers > size) {
            throw new IllegalArgumentException(
                    "requests of " + maximumBuffers + " buffers on " + name + ", which has " + size + " descriptors");
        }
        boolean packed = (features & VirtioFeature.RING_PACKED) != 0;
        boolean tables = (features & VirtioFeature.INDIRECT_DESC) != 0 && maximumBuffers > 1;
        long ringBytes = packed ? PackedDriverQueue.ringBytes(size) : SplitDriverQueue.ringBytes(size);
        long tableBytes = tables ? (long) size * maximumBuffers * DESCRIPTOR_BYTES : 0;
        DmaMemory memory = dma.allocate(ringBytes + tableBytes);
        return packed
                ? new PackedDriverQueue(name, size, features, maximumBuffers, memory)
                : new SplitDriverQueue(name, size, features, maximumBuffers, memory);
    }

    /**
     * Where the device finds it.
     *
     * @return device addresses
     */
    public abstract QueueAddresses addresses();

    /**
     * How many descriptors it has.
     *
     * @return the number; ids of requests are below it
     */
    public final int size() {
        return size;
    }

    /**
     * How many requests of so many buffers can be added now.
     *
     * @param buffersEach the buffers of each
     * @return the number
     */
    public final int room(int buffersEach) {
        return free / ringDescriptors(buffersEach);
    }

    /**
     * How many requests of so many buffers can be on their way at a time.
     *
     * @param buffersEach the buffers of each
     * @return the number
     */
    public final int capacity(int buffersEach) {
        return size / ringDescriptors(buffersEach);
    }

    private int ringDescriptors(int buffersEach) {
        return indirect ? 1 : buffersEach;
    }

    /**
     * Gives the device a buffer to read, in the request that is being put together.
     *
     * @param address its device address
     * @param length its length, in bytes, from 1
     * @throws IllegalStateException if there are too many buffers, or one to write came before
     */
    public final void readable(long address, int length) {
        if (readableBuffers != buffers) {
            throw new IllegalStateException("buffers to read come before those to write");
        }
        buffer(address, length);
        readableBuffers++;
    }

    /**
     * Gives the device a buffer to write, in the request that is being put together.
     *
     * @param address its device address
     * @param length its length, in bytes, from 1
     * @throws IllegalStateException if there are too many buffers
     */
    public final void writable(long address, int length) {
        buffer(address, length);
        pendingWritable += Integer.toUnsignedLong(length);
    }

    private void buffer(long address, int length) {
        if (buffers == maximumBuffers) {
            throw new IllegalStateException("a request on " + name + " has at most " + maximumBuffers + " buffers");
        }
        addresses[buffers] = address;
        lengths[buffers] = length;
        buffers++;
    }

    /**
     * Adds the request that was put together. The device does not see it before {@link #publish}.
     *
     * @return its id, until {@link #poll} returns it
     * @throws IllegalStateException if there is no {@link #room}, or the request has no buffers
     */
    public final int add() {
        if (buffers == 0 || free < ringDescriptors(buffers)) {
            throw new IllegalStateException(
                    buffers == 0 ? "a request without buffers" : name + " is full; poll it first");
        }
        boolean inTable = indirect && buffers > 1;
        int id = inTable ? putIndirect(buffers * DESCRIPTOR_BYTES) : putChain();
        int taken = inTable ? 1 : buffers;
        descriptors[id] = taken;
        writableBytes[id] = pendingWritable;
        free -= taken;
        buffers = 0;
        readableBuffers = 0;
        pendingWritable = 0;
        return id;
    }

    /** Puts one descriptor into the ring, whose table it fills; returns the request's id. */
    abstract int putIndirect(int tableBytes);

    /** Puts the buffers into the ring; returns the request's id. */
    abstract int putChain();

    final long tableAddress(int id) {
        return tablesAddress + table(id);
    }

    private long table(int id) {
        return (long) id * maximumBuffers * DESCRIPTOR_BYTES;
    }

    final void setTableEntry(int id, int buffer, long word) {
        long at = table(id) + (long) buffer * DESCRIPTOR_BYTES;
        tables.setLong(at + SplitRing.DESCRIPTOR_ADDRESS, addresses[buffer]);
        tables.setLong(at + SplitRing.DESCRIPTOR_WORD, word);
    }

    /**
     * Shows the device what was added since the last time.
     *
     * @return whether it wants to be notified of that
     */
    public abstract boolean publish();

    /**
     * Takes the next request that the device has used.
     *
     * @return its id, or {@link #NONE}
     * @throws DeviceException if what the device says cannot be
     */
    public final int poll() throws DeviceException {
        if (failed) {
            throw new DeviceException(name + " was broken by its device before; reset the device");
        }
        if (!isPending()) {
            return NONE;
        }
        long used = nextUsed();
        int id = (int) used;
        long written = used >>> Integer.SIZE;
        if (id < 0 || id >= size || descriptors[id] == 0) {
            throw failed("used request " + Integer.toUnsignedString(id) + ", which is not on its way");
        }
        if (written > writableBytes[id]) {
            throw failed("wrote " + written + " bytes of a request with room for " + writableBytes[id]);
        }
        usedBytes = written;
        free += descriptors[id];
        release(id);
        descriptors[id] = 0;
        return id;
    }

    /**
     * Whether {@link #poll} would find a request.
     *
     * @return false if the device has used nothing more
     * @throws DeviceException if what the device says cannot be
     */
    public abstract boolean isPending() throws DeviceException;

    /** What the device says of the next request that it has used: its id, and in the high half what it has written. */
    abstract long nextUsed();

    /** Goes past a request that was used, and takes its id back. */
    abstract void release(int id);

    /**
     * How much the device has written of the request that {@link #poll} returned last.
     *
     * @return bytes, from the start of what it could write
     */
    public final long usedBytes() {
        return usedBytes;
    }

    /**
     * How many requests are on their way.
     *
     * @return the number
     */
    public final int pending() {
        return (int) Arrays.stream(descriptors).filter(count -> count > 0).count();
    }

    /**
     * Says whether the device shall interrupt when it has used a request. After enabling, look once more whether one
     * {@linkplain #isPending is pending}: it may have come just before. An interrupt more than was wanted may come.
     *
     * @param wanted whether interrupts are of use
     */
    public abstract void setInterrupting(boolean wanted);

    final DeviceException failed(String reason) {
        failed = true;
        return new DeviceException("the device of " + name + " " + reason + "; reset the device");
    }

    final DmaMemory memory() {
        return memory;
    }

    /** Gives its memory back. The device must not use it any more. */
    @Override
    public final void close() {
        memory.close();
    }

    @Override
    public final String toString() {
        return name;
    }
}
