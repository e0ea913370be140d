package dev.outboard.virtio.block;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.virtio.VirtioBlk;
import dev.outboard.virtio.DriverQueue;
import dev.outboard.virtio.pci.VirtioFunction;
import dev.outboard.virtio.pci.VirtioQueue;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A queue of requests to a virtio block device.
 *
 * <p>Belongs to one thread at a time, without locks: take one queue a thread. Requests are written to the queue at once and
 * shown to the device together, by the next {@link #poll}, {@link #submit} or {@link BlockRequest#await await}. In steady
 * state nothing here allocates or makes a system call (unless it waits by interrupt).
 */
public final class BlockQueue implements AutoCloseable {
    /** After so many polls without a completion, the clock and the device's presence are looked at. */
    private static final int HEALTH_CHECK_POLLS = 1 << 10;

    private static final int YIELD_POLLS = 512;
    private static final long HEALTH_CHECK_NANOS = 1_000_000;
    private static final long STATUS_CHECK_NANOS = 100_000_000;

    private final VirtioBlock device;
    private final VirtioQueue queue;
    private final DriverQueue ring;
    private final Waiting waiting;
    private final int depth;
    private final RequestSlots slots;
    private final BlockRequest[] requests;
    /** By the ring's id: the slot of the request. */
    private final int[] slotOfId;

    private final int[] freeSlots;
    private int freeCount;
    /** One slot more than the depth: a request keeps its slot while its handler submits the next. */
    private int spareSlots = 1;

    private int idlePolls;
    /** Whether the last pause was long. */
    private boolean slept;

    private long lastHealthCheckNanos;
    private long lastStatusCheckNanos;
    private @Nullable IOException failure;
    private boolean closed;

    BlockQueue(VirtioBlock device, VirtioQueue queue, int depth, Waiting waiting) throws IOException {
        this.device = device;
        this.queue = queue;
        this.waiting = waiting;
        this.depth = depth;
        ring = queue.ring();
        int slotCount = depth + 1;
        slots = new RequestSlots(device.dma(), slotCount);
        requests = new BlockRequest[slotCount];
        freeSlots = new int[slotCount];
        slotOfId = new int[ring.size()];
        for (int slot = 0; slot < slotCount; slot++) {
            requests[slot] = new BlockRequest(this, slot);
            freeSlots[slot] = depth - slot;
        }
        freeCount = slotCount;
        ring.setInterrupting(waiting.sleeps());
    }

    /**
     * Reads blocks into the whole of a buffer.
     *
     * @param firstBlock the first block
     * @param buffer where to; its size is a multiple of the block's
     * @return the request, which must be awaited
     * @throws IndexOutOfBoundsException if the blocks are not all there
     * @throws IOException if the device has failed
     */
    public BlockRequest read(long firstBlock, DmaMemory buffer) throws IOException {
        return transfer(VirtioBlk.TYPE_IN, firstBlock, blocks(buffer), buffer.deviceAddress(), null, 0);
    }

    /**
     * Writes blocks from the whole of a buffer.
     *
     * @param firstBlock the first block
     * @param buffer what to write; its size is a multiple of the block's
     * @return the request, which must be awaited
     * @throws IndexOutOfBoundsException if the blocks are not all there
     * @throws IOException if the device has failed
     */
    public BlockRequest write(long firstBlock, DmaMemory buffer) throws IOException {
        return transfer(VirtioBlk.TYPE_OUT, firstBlock, blocks(buffer), buffer.deviceAddress(), null, 0);
    }

    /**
     * Reads blocks, and tells a handler.
     *
     * @param firstBlock the first block
     * @param blocks how many
     * @param buffer where to
     * @param offset where in the buffer, in bytes
     * @param handler told of the completion
     * @param context passed on to the handler
     * @throws IndexOutOfBoundsException if the blocks are not all there, or do not fit the buffer
     * @throws IllegalStateException if the queue is full, see {@link #room}
     * @throws IOException if the device has failed
     */
    public void read(
            long firstBlock, int blocks, DmaMemory buffer, long offset, CompletionHandler handler, long context)
            throws IOException {
        long address = address(blocks, buffer, offset);
        transfer(VirtioBlk.TYPE_IN, firstBlock, blocks, address, handler, context);
    }

    /**
     * Writes blocks, and tells a handler.
     *
     * @param firstBlock the first block
     * @param blocks how many
     * @param buffer what to write
     * @param offset where in the buffer, in bytes
     * @param handler told of the completion
     * @param context passed on to the handler
     * @throws IndexOutOfBoundsException if the blocks are not all there, or do not fit the buffer
     * @throws IllegalStateException if the queue is full, see {@link #room}
     * @throws IOException if the device has failed
     */
    public void write(
            long firstBlock, int blocks, DmaMemory buffer, long offset, CompletionHandler handler, long context)
            throws IOException {
        long address = address(blocks, buffer, offset);
        transfer(VirtioBlk.TYPE_OUT, firstBlock, blocks, address, handler, context);
    }

    /**
     * Makes everything durable that was written before. Of a device without a cache this does nothing.
     *
     * @return the request, which must be awaited
     * @throws IOException if the device has failed
     */
    public BlockRequest flush() throws IOException {
        if (!device.has(VirtioBlk.FEATURE_FLUSH)) {
            // What was written was durable when it was done. 5.2.6.2.
            nextSlot();
            BlockRequest done = requests[freeSlots[--freeCount]];
            done.type = VirtioBlk.TYPE_FLUSH;
            done.handler = null;
            done.status = VirtioBlk.STATUS_OK;
            done.state = BlockRequest.State.COMPLETED;
            return done;
        }
        return request(VirtioBlk.TYPE_FLUSH);
    }

    /**
     * Lets the device forget what blocks hold; reading them gives anything until they are written.
     *
     * @param firstBlock the first block
     * @param blocks how many
     * @return the request, which must be awaited
     * @throws UnsupportedOperationException if the device cannot
     * @throws IndexOutOfBoundsException if the blocks are not all there
     * @throws IOException if the device has failed
     */
    public BlockRequest discard(long firstBlock, long blocks) throws IOException {
        device.requireFeature(VirtioBlk.FEATURE_DISCARD, "discard");
        return erase(VirtioBlk.TYPE_DISCARD, firstBlock, blocks, device.maximumDiscardSectors(), 0);
    }

    /**
     * Makes blocks zero.
     *
     * @param firstBlock the first block
     * @param blocks how many
     * @param mayUnmap whether the device may give back the room that they take
     * @return the request, which must be awaited
     * @throws UnsupportedOperationException if the device cannot
     * @throws IndexOutOfBoundsException if the blocks are not all there
     * @throws IOException if the device has failed
     */
    public BlockRequest writeZeroes(long firstBlock, long blocks, boolean mayUnmap) throws IOException {
        device.requireFeature(VirtioBlk.FEATURE_WRITE_ZEROES, "writing zeroes");
        int flags = mayUnmap ? VirtioBlk.RANGE_UNMAP : 0;
        return erase(VirtioBlk.TYPE_WRITE_ZEROES, firstBlock, blocks, device.maximumWriteZeroesSectors(), flags);
    }

    private BlockRequest erase(int type, long firstBlock, long blocks, long mostSectors, int flags) throws IOException {
        checkBlocks(firstBlock, blocks);
        long sectors = device.sectors(blocks);
        if (blocks < 1 || sectors > mostSectors) {
            throw new IllegalArgumentException("cannot discard or zero " + blocks + " blocks at once: " + device
                    + " takes 1 to " + mostSectors + " sectors of " + VirtioBlk.SECTOR_BYTES + " bytes");
        }
        slots.setRange(nextSlot(), device.sectors(firstBlock), (int) sectors, flags);
        return request(type);
    }

    /** The serial number, which some devices do not have. */
    String readId(Duration timeout) throws IOException {
        BlockRequest request = request(VirtioBlk.TYPE_GET_ID);
        slots.clearId(request.slot);
        try {
            request.await(timeout);
        } catch (VirtioBlockException e) {
            return "";
        }
        return slots.id(request.slot);
    }

    private int blocks(DmaMemory buffer) {
        long size = buffer.sizeBytes();
        if (size % device.blockSizeBytes() != 0) {
            throw new IllegalArgumentException(
                    "a buffer of " + size + " bytes holds no whole number of blocks of " + device.blockSizeBytes());
        }
        return Math.toIntExact(size / device.blockSizeBytes());
    }

    private long address(int blocks, DmaMemory buffer, long offset) {
        Objects.checkFromIndexSize(offset, (long) blocks * device.blockSizeBytes(), buffer.sizeBytes());
        return buffer.deviceAddress() + offset;
    }

    private void checkBlocks(long firstBlock, long blocks) {
        if (firstBlock < 0 || firstBlock > device.blockCount() - blocks) {
            throw new IndexOutOfBoundsException("blocks " + firstBlock + " to " + (firstBlock + blocks - 1)
                    + " are not all on " + device + ", which has the blocks 0 to " + (device.blockCount() - 1));
        }
    }

    private BlockRequest transfer(
            int type, long firstBlock, int blocks, long address, @Nullable CompletionHandler handler, long context)
            throws IOException {
        long length = (long) blocks * device.blockSizeBytes();
        if (blocks < 1 || length > device.maximumTransferBytes()) {
            throw new IllegalArgumentException("cannot transfer " + blocks + " blocks of " + device.blockSizeBytes()
                    + " bytes in one request: it takes 1 to " + device.maximumTransferBytes() + " bytes");
        }
        checkBlocks(firstBlock, blocks);
        if (type == VirtioBlk.TYPE_OUT && device.isReadOnly()) {
            throw new UnsupportedOperationException(device + " is read-only");
        }
        int slot = nextSlot();
        long segment = device.maximumSegmentBytes();
        ring.readable(slots.headerAddress(slot), VirtioBlk.HEADER_BYTES);
        for (long done = 0; done < length; done += segment) {
            int part = (int) Math.min(segment, length - done);
            if (type == VirtioBlk.TYPE_IN) {
                ring.writable(address + done, part);
            } else {
                ring.readable(address + done, part);
            }
        }
        return send(type, device.sectors(firstBlock), handler, context);
    }

    /** A request whose data, if it has some, is in its slot. */
    private BlockRequest request(int type) throws IOException {
        int slot = nextSlot();
        ring.readable(slots.headerAddress(slot), VirtioBlk.HEADER_BYTES);
        switch (type) {
            case VirtioBlk.TYPE_GET_ID -> ring.writable(slots.idAddress(slot), VirtioBlk.ID_BYTES);
            case VirtioBlk.TYPE_DISCARD, VirtioBlk.TYPE_WRITE_ZEROES ->
                ring.readable(slots.rangeAddress(slot), VirtioBlk.RANGE_BYTES);
            default -> {
                // No data.
            }
        }
        return send(type, 0, null, 0);
    }

    private int nextSlot() throws IOException {
        if (failure != null || closed) {
            throw unusable();
        }
        if (freeCount <= spareSlots) {
            throw new IllegalStateException(this + " is full: " + depth + " requests are on their way; poll it first");
        }
        return freeSlots[freeCount - 1];
    }

    private BlockRequest send(int type, long sector, @Nullable CompletionHandler handler, long context) {
        int slot = freeSlots[--freeCount];
        slots.set(slot, type, sector);
        ring.writable(slots.statusAddress(slot), VirtioBlk.STATUS_BYTES);
        slotOfId[ring.add()] = slot;
        BlockRequest request = requests[slot];
        request.type = type;
        request.handler = handler;
        request.context = context;
        request.seenNanos = 0;
        request.state = BlockRequest.State.SUBMITTED;
        return request;
    }

    /** Shows the device what was written to the queue since the last time. {@link #poll} does that too. */
    public void submit() {
        queue.publish();
    }

    /**
     * Shows the device new requests and takes all completions that are there, without waiting.
     *
     * @return how many there were
     * @throws DeviceTimeoutException if a request took longer than the device's {@link VirtioBlock#requestTimeout}
     * @throws DeviceException if the device is gone, or completed what was never submitted; the queue is unusable then
     * @throws IOException if it failed before
     */
    public int poll() throws IOException {
        if (failure != null || closed) {
            throw unusable();
        }
        try {
            queue.publish();
            int completed = 0;
            for (int id = ring.poll(); id != DriverQueue.NONE; id = ring.poll()) {
                complete(requests[slotOfId[id]]);
                completed++;
            }
            if (completed == 0) {
                idle();
            } else {
                queue.publish();
            }
            return completed;
        } catch (InternalError fault) {
            throw failed(VirtioFunction.gone(device.function().function(), fault));
        } catch (DeviceException e) {
            throw failed(e);
        }
    }

    private void complete(BlockRequest request) {
        request.status = slots.status(request.slot);
        request.state = BlockRequest.State.COMPLETED;
        CompletionHandler handler = request.handler;
        if (handler != null) {
            spareSlots = 0;
            try {
                handler.completed(request);
            } finally {
                spareSlots = 1;
                release(request);
            }
        }
    }

    private void release(BlockRequest request) {
        request.state = BlockRequest.State.FREE;
        freeSlots[freeCount++] = request.slot;
    }

    void await(BlockRequest request, Duration timeout) throws IOException {
        if (request.state == BlockRequest.State.FREE) {
            throw new IllegalStateException("this request was awaited already");
        }
        long deadline = 0;
        for (int idle = 0; request.state != BlockRequest.State.COMPLETED; ) {
            if (poll() > 0) {
                continue;
            }
            if (++idle % HEALTH_CHECK_POLLS == 0 || idle > waiting.polls()) {
                long now = System.nanoTime();
                deadline = deadline == 0 ? now + timeout.toNanos() : deadline;
                if (now - deadline >= 0) {
                    throw failed(overdue(request, timeout));
                }
            }
            pause(idle, deadline);
        }
        int status = request.status;
        release(request);
        if (status != VirtioBlk.STATUS_OK) {
            request.status = status;
            throw request.failure();
        }
    }

    private static DeviceTimeoutException overdue(BlockRequest request, Duration timeout) {
        return new DeviceTimeoutException(
                request + " took longer than " + timeout.toMillis() + " ms; close the device and open it again");
    }

    /** Passes some time until the next poll. */
    @SuppressWarnings("ThreadPriorityCheck") // Nothing relies on it.
    private void pause(int idle, long deadline) throws IOException {
        slept = idle > waiting.polls();
        if (slept) {
            // Bounded, so that a device that is gone is noticed, and a lost interrupt costs time only.
            long nanos = Math.clamp(deadline - System.nanoTime(), 0, STATUS_CHECK_NANOS);
            queue.await(Duration.ofNanos(nanos));
        } else if (idle % YIELD_POLLS == 0) {
            // Whoever completes the request may be waiting for this very processor.
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }

    /** Nothing came: now and then, finds out whether the device still works, and whether requests are overdue. */
    private void idle() throws IOException {
        if (++idlePolls % HEALTH_CHECK_POLLS != 0 && !slept) {
            return;
        }
        device.function().function().checkPresent();
        long now = System.nanoTime();
        if (now - lastHealthCheckNanos < HEALTH_CHECK_NANOS || room() == depth) {
            return;
        }
        lastHealthCheckNanos = now;
        if (now - lastStatusCheckNanos >= STATUS_CHECK_NANOS) {
            lastStatusCheckNanos = now;
            device.function().checkUsable();
        }
        for (BlockRequest request : requests) {
            if (request.state == BlockRequest.State.SUBMITTED) {
                if (request.seenNanos == 0) {
                    request.seenNanos = now;
                } else if (now - request.seenNanos > device.requestTimeout().toNanos()) {
                    throw overdue(request, device.requestTimeout());
                }
            }
        }
    }

    private IOException failed(IOException reason) {
        failure = reason;
        return reason;
    }

    private IOException unusable() {
        IOException before = failure;
        return before == null
                ? new DeviceException(this + " is closed")
                : new DeviceException(this + " failed before: " + before.getMessage(), before);
    }

    /**
     * How many more requests can be submitted now.
     *
     * @return {@link #depth} less those on their way
     */
    public int room() {
        return freeCount - spareSlots;
    }

    /**
     * How many requests can be on their way at a time.
     *
     * @return the number
     */
    public int depth() {
        return depth;
    }

    /** Gives the queue back. With requests on their way it stays taken until the device is closed. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            if (room() == depth && failure == null) {
                slots.close();
                device.release(this, queue);
            }
        }
    }

    @Override
    public String toString() {
        return ring.toString();
    }
}
