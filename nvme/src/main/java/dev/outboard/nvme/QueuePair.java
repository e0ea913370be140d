package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.CompletionEntry;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A submission queue and the completion queue of its commands.
 *
 * <p>Belongs to one thread at a time, without locks: take one queue pair a thread. Commands are written to the queue at
 * once and announced to the controller together, by the next {@link #poll}, {@link #submit} or {@link
 * NvmeRequest#await await}. In steady state nothing here allocates or makes a system call (unless it waits by interrupt).
 */
public final class QueuePair implements AutoCloseable {
    /** The most commands that can be on their way at a time. */
    public static final int MAXIMUM_DEPTH = RequestSlots.MAXIMUM_DEPTH - 1;

    /** The most blocks that one command can name. */
    public static final int MAXIMUM_BLOCKS = 1 << 16;

    /** After so many polls without a completion, the clock and the device's presence are looked at. */
    private static final int HEALTH_CHECK_POLLS = 1 << 10;

    /** Some 10 to 20 µs, which a fast device does not take. */
    private static final int YIELD_POLLS = 512;

    private static final long HEALTH_CHECK_NANOS = 1_000_000;
    /** How long an aborted command may take to be complete. */
    private static final long ABORT_NANOS = 500_000_000;

    private static final long MAXIMUM_SLEEP_NANOS = 100_000_000;

    private final ControllerAccess access;
    private final QueueOwner owner;

    private final int id;
    private final int depth;
    private final @Nullable Interrupt interrupt;
    private final long timeoutNanos;

    private final long maximumTransferBytes;
    private final SubmissionQueue submissions;
    private final CompletionQueue completions;
    private final PrpLists prpLists;

    private final RequestSlots slots;

    /** So many completions may be kept from the controller before its completion queue might fill up. */
    private final int acknowledgeLimit;

    private int resetsSeen;
    private int idlePolls;
    private long lastHealthCheckNanos;
    private @Nullable IOException failure;
    private boolean closed;

    QueuePair(
            ControllerAccess access,
            int id,
            int depth,
            long maximumTransferBytes,
            @Nullable Interrupt interrupt,
            Duration timeout,
            QueueOwner owner)
            throws IOException {
        this.access = access;
        this.id = id;
        this.depth = depth;
        this.interrupt = interrupt;
        this.timeoutNanos = timeout.toNanos();
        this.owner = owner;
        resetsSeen = owner.resets();
        this.maximumTransferBytes = maximumTransferBytes;
        // With twice the room, completions need to be acknowledged only along with submissions.
        int completionEntries = Math.min(2 * depth + 1, access.maximumQueueEntries());
        acknowledgeLimit = interrupt != null ? 1 : Math.max(1, completionEntries - 1 - depth);
        submissions = new SubmissionQueue(access, id, depth + 1);
        completions = new CompletionQueue(access, id, completionEntries);
        prpLists = new PrpLists(access.dma(), depth + 1, access.pageBytes());

        slots = new RequestSlots(this, depth);
    }

    /**
     * Reads blocks into the whole of a buffer.
     *
     * @param namespace where from
     * @param firstBlock the first block
     * @param buffer where to; its size is a multiple of the block's
     * @return the request, which must be awaited
     * @throws IndexOutOfBoundsException if the blocks are not all there
     * @throws IOException if the device has failed
     */
    public NvmeRequest read(NvmeNamespace namespace, long firstBlock, DmaMemory buffer) throws IOException {
        int blocks = blocks(namespace, buffer);
        return transfer(Opcode.READ, namespace, firstBlock, blocks, buffer.deviceAddress(), null, 0);
    }

    /**
     * Writes blocks from the whole of a buffer.
     *
     * @param namespace where to
     * @param firstBlock the first block
     * @param buffer what to write; its size is a multiple of the block's
     * @return the request, which must be awaited
     * @throws IndexOutOfBoundsException if the blocks are not all there
     * @throws IOException if the device has failed
     */
    public NvmeRequest write(NvmeNamespace namespace, long firstBlock, DmaMemory buffer) throws IOException {
        int blocks = blocks(namespace, buffer);
        return transfer(Opcode.WRITE, namespace, firstBlock, blocks, buffer.deviceAddress(), null, 0);
    }

    /**
     * Reads blocks, and tells a handler.
     *
     * @param namespace where from
     * @param firstBlock the first block
     * @param blocks how many
     * @param buffer where to
     * @param offset where in the buffer, in bytes, a multiple of 4
     * @param handler told of the completion
     * @param context passed on to the handler
     * @throws IndexOutOfBoundsException if the blocks are not all there, or do not fit the buffer
     * @throws IllegalStateException if the queue is full, see {@link #room}
     * @throws IOException if the device has failed
     */
    public void read(
            NvmeNamespace namespace,
            long firstBlock,
            int blocks,
            DmaMemory buffer,
            long offset,
            CompletionHandler handler,
            long context)
            throws IOException {
        long address = address(namespace, blocks, buffer, offset);
        transfer(Opcode.READ, namespace, firstBlock, blocks, address, handler, context);
    }

    /**
     * Writes blocks, and tells a handler.
     *
     * @param namespace where to
     * @param firstBlock the first block
     * @param blocks how many
     * @param buffer what to write
     * @param offset where in the buffer, in bytes, a multiple of 4
     * @param handler told of the completion
     * @param context passed on to the handler
     * @throws IndexOutOfBoundsException if the blocks are not all there, or do not fit the buffer
     * @throws IllegalStateException if the queue is full, see {@link #room}
     * @throws IOException if the device has failed
     */
    public void write(
            NvmeNamespace namespace,
            long firstBlock,
            int blocks,
            DmaMemory buffer,
            long offset,
            CompletionHandler handler,
            long context)
            throws IOException {
        long address = address(namespace, blocks, buffer, offset);
        transfer(Opcode.WRITE, namespace, firstBlock, blocks, address, handler, context);
    }

    /**
     * Makes everything durable that was written before.
     *
     * @param namespace which namespace
     * @return the request, which must be awaited
     * @throws IOException if the device has failed
     */
    public NvmeRequest flush(NvmeNamespace namespace) throws IOException {
        return command(Opcode.FLUSH, namespace.id(), 0, 0, 0, 0, 0, null, 0);
    }

    private static int blocks(NvmeNamespace namespace, DmaMemory buffer) {
        long size = buffer.sizeBytes();
        if ((size & (namespace.blockSizeBytes() - 1)) != 0) {
            throw new IllegalArgumentException(
                    "a buffer of " + size + " bytes holds no whole number of blocks of " + namespace.blockSizeBytes());
        }
        return Math.toIntExact(size / namespace.blockSizeBytes());
    }

    private static long address(NvmeNamespace namespace, int blocks, DmaMemory buffer, long offset) {
        Objects.checkFromIndexSize(offset, (long) blocks * namespace.blockSizeBytes(), buffer.sizeBytes());
        return buffer.deviceAddress() + offset;
    }

    private NvmeRequest transfer(
            int opcode,
            NvmeNamespace namespace,
            long firstBlock,
            int blocks,
            long address,
            @Nullable CompletionHandler handler,
            long context)
            throws IOException {
        long length = (long) blocks * namespace.blockSizeBytes();
        if (blocks < 1
                || blocks > MAXIMUM_BLOCKS
                || length > maximumTransferBytes
                || (address & (Integer.BYTES - 1)) != 0) {
            throw new IllegalArgumentException("cannot transfer " + blocks + " blocks of " + namespace.blockSizeBytes()
                    + " bytes at device address 0x" + Long.toHexString(address) + " in one command: it takes 1 to "
                    + maximumTransferBytes + " bytes, at a multiple of 4");
        }
        if (firstBlock < 0 || firstBlock > namespace.blockCount() - blocks) {
            throw new IndexOutOfBoundsException("blocks " + firstBlock + " to " + (firstBlock + blocks - 1)
                    + " are not all in namespace " + namespace.id() + ", which has the blocks 0 to "
                    + (namespace.blockCount() - 1));
        }
        if (namespace.metadataBytes() != 0) {
            throw new IllegalArgumentException("namespace " + namespace.id() + " has " + namespace.metadataBytes()
                    + " bytes of metadata a block; format it without to use it");
        }
        long prp2 = prpLists.second(nextSlot(), address, length);
        return command(
                opcode,
                namespace.id(),
                address,
                prp2,
                firstBlock,
                SubmissionEntry.NLB.of(blocks - 1L),
                0,
                handler,
                context);
    }

    private int nextSlot() {
        if (slots.room() == 0) {
            throw new IllegalStateException(this + " is full: " + depth + " commands are on their way; poll it first");
        }
        return slots.next().slot;
    }

    /** Writes a command to the queue, in the slot that {@link #nextSlot} returns. */
    NvmeRequest command(
            int opcode,
            int namespaceId,
            long prp1,
            long prp2,
            long dwords10And11,
            long dwords12And13,
            long dwords14And15,
            @Nullable CompletionHandler handler,
            long context)
            throws IOException {
        if (failure != null || closed) {
            restartIfReset();
        }
        nextSlot();
        NvmeRequest request = slots.take();
        request.opcode = opcode;
        request.handler = handler;
        request.context = context;
        submissions.add(
                opcode, request.commandId, namespaceId, prp1, prp2, dwords10And11, dwords12And13, dwords14And15);
        return request;
    }

    /** Announces what was written to the queue since the last time. {@link #poll} does that too. */
    public void submit() {
        if (completions.unacknowledged() > 0) {
            completions.acknowledge();
        }
        if (submissions.hasUnannounced()) {
            submissions.announce();
        }
    }

    /**
     * Announces new commands and takes all completions that are there, without waiting.
     *
     * @return how many there were
     * @throws DeviceTimeoutException if a command took longer than the controller's {@link NvmeController#commandTimeout}
     * @throws DeviceException if the device is gone, or completed what was never submitted; the queue pair is unusable then
     * @throws IOException if it failed before
     */
    public int poll() throws IOException {
        try {
            return pollOnce();
        } catch (InternalError fault) {
            throw failed(ControllerAccess.gone(access.function(), fault));
        }
    }

    private int pollOnce() throws IOException {
        if (submissions.hasUnannounced()) {
            submit();
        }
        int completed = takeCompletions();
        if (completed == 0) {
            idle();
        } else if (submissions.hasUnannounced()) {
            submit();
        } else if (completions.unacknowledged() >= acknowledgeLimit) {
            completions.acknowledge();
        }
        return completed;
    }

    private int takeCompletions() throws IOException {
        int completed = 0;
        int entry = completions.peek();
        while (completions.isNew(entry)) {
            complete(entry);
            completed++;
            entry = completions.peek();
        }
        return completed;
    }

    private void complete(int entry) throws IOException {
        int commandId = (int) CompletionEntry.COMMAND_ID.get(entry);
        NvmeRequest request = slots.find(commandId);
        if (request == null) {
            throw failed(new DeviceException(
                    this + " completed command " + commandId + ", which is not on its way; reset the controller"));
        }
        int queueHead = completions.submissionQueueHead();
        if (queueHead >= submissions.entries()) {
            throw failed(new DeviceException(this + " reports a submission queue head " + queueHead + " of a queue of "
                    + submissions.entries() + " entries; reset the controller"));
        }
        request.status = (int) CompletionEntry.STATUS.get(entry);
        request.result = completions.result();
        request.state = NvmeRequest.State.COMPLETED;
        completions.advance();
        slots.tell(request);
    }

    int await(NvmeRequest request, Duration timeout) throws IOException {
        if (request.state == NvmeRequest.State.FREE) {
            throw new IllegalStateException("this request was awaited already");
        }
        long deadline = 0;
        for (int idle = 0; request.state != NvmeRequest.State.COMPLETED; ) {
            if (poll() > 0) {
                continue;
            }
            if (++idle % HEALTH_CHECK_POLLS == 0 || interrupt != null) {
                long now = System.nanoTime();
                deadline = deadline == 0 ? now + timeout.toNanos() : deadline;
                if (now - deadline >= 0) {
                    return end(request, timeout);
                }
            }
            pause(idle, deadline);
        }
        return finish(request);
    }

    private int finish(NvmeRequest request) throws NvmeException {
        int status = request.status;
        int result = request.result;
        slots.release(request);
        if (status != 0) {
            throw request.failure();
        }
        return result;
    }

    /** A request took too long for who waits for it: it is aborted, if need be by a reset. */
    private int end(NvmeRequest request, Duration timeout) throws IOException {
        overdue(request);
        if (request.status == 0) {
            // It was done just now.
            return finish(request);
        }
        slots.release(request);
        throw new DeviceTimeoutException(request + " took longer than " + timeout.toMillis() + " ms; it was aborted");
    }

    /** Passes some time until the next poll. */
    @SuppressWarnings("ThreadPriorityCheck") // Nothing relies on it.
    private void pause(int idle, long deadline) throws IOException {
        if (interrupt == null) {
            if (idle % YIELD_POLLS == 0) {
                // Whoever completes the request may be waiting for this very processor.
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        } else {
            // Bounded, so that a device that is gone is noticed, and a lost interrupt costs time only.
            long nanos = Math.clamp(deadline - System.nanoTime(), 0, MAXIMUM_SLEEP_NANOS);
            interrupt.await(Duration.ofNanos(nanos));
            interrupt.rearm();
        }
    }

    /** Nothing came: now and then, finds out whether the device is still there, and whether commands are overdue. */
    private void idle() throws IOException {
        if (failure != null) {
            restartIfReset();
        }
        if (++idlePolls % HEALTH_CHECK_POLLS != 0 && interrupt == null) {
            return;
        }
        try {
            access.function().checkPresent();
        } catch (IOException e) {
            throw failed(e);
        }
        if (owner.resets() != resetsSeen) {
            restart();
            return;
        }
        long now = System.nanoTime();
        if (now - lastHealthCheckNanos < HEALTH_CHECK_NANOS) {
            return;
        }
        lastHealthCheckNanos = now;
        for (NvmeRequest request : slots.all()) {
            if (request.state == NvmeRequest.State.SUBMITTED) {
                if (request.seenNanos == 0) {
                    request.seenNanos = now;
                } else if (now - request.seenNanos > timeoutNanos) {
                    overdue(request);
                    return;
                }
            }
        }
    }

    /**
     * Ends a command that takes too long: the controller is asked to abort it, and reset if that does not help. The
     * request is complete afterwards, unless this throws. NVMe base specification 2.0, 5.1.
     */
    private void overdue(NvmeRequest request) throws IOException {
        if (isAdmin()) {
            throw failed(new DeviceTimeoutException(request + " took longer than "
                    + Duration.ofNanos(timeoutNanos).toMillis() + " ms; reset the controller"));
        }
        if (owner.abort(this, request.commandId) && completesSoon(request)) {
            return;
        }
        try {
            owner.reset(resetsSeen);
            restart();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private boolean completesSoon(NvmeRequest request) throws IOException {
        long deadline = System.nanoTime() + ABORT_NANOS;
        for (int idle = 1; takeCompletions() >= 0 && request.state == NvmeRequest.State.SUBMITTED; idle++) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            pause(idle, deadline);
        }
        return true;
    }

    /** After a failure: the queues can be used again once the controller was reset. */
    private void restartIfReset() throws IOException {
        if (closed || owner.resets() == resetsSeen) {
            throw unusable();
        }
        restart();
    }

    /**
     * The controller was reset, and has forgotten these queues: what was on its way is reported as aborted, and the queues
     * are created again. Whether the commands were carried out nobody knows.
     */
    void restart() throws IOException {
        try {
            submissions.clear();
            completions.clear();
            resetsSeen = owner.create(this);
        } catch (IOException e) {
            throw failed(e);
        }
        failure = null;
        slots.abortAll();
    }

    private IOException failed(IOException reason) {
        failure = reason;
        return reason;
    }

    private IOException unusable() {
        return failure == null
                ? new DeviceException(this + " is closed")
                : new DeviceException(this + " failed before: " + failure.getMessage(), failure);
    }

    /**
     * How many more commands can be submitted now.
     *
     * @return {@link #depth} less those on their way
     */
    public int room() {
        return slots.room();
    }

    /**
     * How many commands can be on their way at a time.
     *
     * @return the number
     */
    public int depth() {
        return depth;
    }

    boolean isAdmin() {
        return id == 0;
    }

    int id() {
        return id;
    }

    SubmissionQueue submissions() {
        return submissions;
    }

    CompletionQueue completions() {
        return completions;
    }

    boolean isInterrupting() {
        return interrupt != null;
    }

    /** Deletes the queues. What is still on its way is lost. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        // A controller that did not confirm may still write to these: they go with the controller then.
        if (owner.delete(this)) {
            freeMemory();
        }
    }

    void freeMemory() {
        prpLists.close();
        completions.close();
        submissions.close();
    }

    @Override
    public String toString() {
        return access + (isAdmin() ? " admin queue" : " queue " + id);
    }
}
