package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.ScatterList;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Sgl;
import dev.outboard.specs.nvme.Status;
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
    public static final int MAXIMUM_DEPTH = RequestSlots.MAXIMUM_DEPTH;

    /** The most blocks that one command can name. */
    public static final int MAXIMUM_BLOCKS = 1 << 16;

    private static final String NO_HANDLER = "a handler that is told of the completion";

    private final CommandQueue commands;
    private final boolean scatterGathers;
    private final DataPointers pointers;
    private final long maximumTransferBytes;

    QueuePair(CommandQueue commands, long maximumTransferBytes, boolean scatterGathers) {
        this.commands = commands;
        this.scatterGathers = scatterGathers;
        this.maximumTransferBytes = maximumTransferBytes;
        pointers = commands.pointers();
    }

    /**
     * Reads blocks into the whole of a buffer.
     *
     * @param namespace where from
     * @param firstBlock the first block
     * @param buffer where to; its size is a multiple of the block's, {@link NvmeNamespace#extendedBlockBytes}
     * @return the request, which must be awaited
     * @throws IndexOutOfBoundsException if the blocks are not all there
     * @throws IOException if the device has failed
     */
    public NvmeRequest read(NvmeNamespace namespace, long firstBlock, DmaMemory buffer) throws IOException {
        int blocks = blocks(namespace, buffer);
        return namespace.metadataBytes() == 0
                ? transfer(Opcode.READ, namespace, firstBlock, blocks, buffer.deviceAddress(), null, 0)
                : submit(NvmeCommand.read(namespace, firstBlock, blocks).data(buffer));
    }

    /**
     * Writes blocks from the whole of a buffer.
     *
     * @param namespace where to
     * @param firstBlock the first block
     * @param buffer what to write; its size is a multiple of the block's, {@link NvmeNamespace#extendedBlockBytes}
     * @return the request, which must be awaited
     * @throws IndexOutOfBoundsException if the blocks are not all there
     * @throws IOException if the device has failed
     */
    public NvmeRequest write(NvmeNamespace namespace, long firstBlock, DmaMemory buffer) throws IOException {
        int blocks = blocks(namespace, buffer);
        return namespace.metadataBytes() == 0
                ? transfer(Opcode.WRITE, namespace, firstBlock, blocks, buffer.deviceAddress(), null, 0)
                : submit(NvmeCommand.write(namespace, firstBlock, blocks).data(buffer));
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
        transfer(
                Opcode.READ,
                namespace,
                firstBlock,
                blocks,
                address,
                Objects.requireNonNull(handler, NO_HANDLER),
                context);
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
        transfer(
                Opcode.WRITE,
                namespace,
                firstBlock,
                blocks,
                address,
                Objects.requireNonNull(handler, NO_HANDLER),
                context);
    }

    /**
     * Reads blocks whose metadata have a buffer of their own. Not for the hot path: this allocates.
     *
     * @param namespace where from
     * @param firstBlock the first block
     * @param data where the data go; its size is a multiple of the block's
     * @param metadata where the metadata go, of as many blocks
     * @return the request, which must be awaited
     * @throws IllegalArgumentException if the buffers do not fit the namespace
     * @throws IOException if the device has failed
     */
    public NvmeRequest read(NvmeNamespace namespace, long firstBlock, DmaMemory data, DmaMemory metadata)
            throws IOException {
        return submit(NvmeCommand.read(namespace, firstBlock, blocks(namespace, data))
                .data(data)
                .metadata(metadata));
    }

    /**
     * Writes blocks whose metadata have a buffer of their own. Not for the hot path: this allocates.
     *
     * @param namespace where to
     * @param firstBlock the first block
     * @param data the data; its size is a multiple of the block's
     * @param metadata the metadata of as many blocks
     * @return the request, which must be awaited
     * @throws IllegalArgumentException if the buffers do not fit the namespace
     * @throws IOException if the device has failed
     */
    public NvmeRequest write(NvmeNamespace namespace, long firstBlock, DmaMemory data, DmaMemory metadata)
            throws IOException {
        return submit(NvmeCommand.write(namespace, firstBlock, blocks(namespace, data))
                .data(data)
                .metadata(metadata));
    }

    /**
     * Makes everything durable that was written before.
     *
     * @param namespace which namespace
     * @return the request, which must be awaited
     * @throws IOException if the device has failed
     */
    public NvmeRequest flush(NvmeNamespace namespace) throws IOException {
        commands.nextSlot();
        return commands.add(Opcode.FLUSH, namespace.id(), 0, 0, 0, 0, null, 0);
    }

    private static int blocks(NvmeNamespace namespace, DmaMemory buffer) {
        long size = buffer.sizeBytes();
        long each = namespace.extendedBlockBytes();
        if (size % each != 0) {
            throw new IllegalArgumentException(
                    "a buffer of " + size + " bytes holds no whole number of blocks of " + each);
        }
        return Math.toIntExact(size / each);
    }

    private static long address(NvmeNamespace namespace, int blocks, DmaMemory buffer, long offset) {
        long length = (long) blocks * namespace.blockSizeBytes();
        if ((offset | length) < 0 || length > buffer.sizeBytes() - offset) {
            throw new IndexOutOfBoundsException(length + " bytes at " + offset + " are not all in " + buffer);
        }
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
        if (length > maximumTransferBytes || (address & (Integer.BYTES - 1)) != 0) {
            throw untransferable(address, length);
        }
        namespace.checkBlocks(firstBlock, blocks);
        if (namespace.metadataBytes() != 0) {
            throw new IllegalArgumentException("namespace " + namespace.id() + " has " + namespace.metadataBytes()
                    + " bytes of metadata a block: use NvmeCommand, which can say where they go");
        }
        long prp2 = pointers.second(commands.nextSlot(), address, length);
        NvmeRequest request = commands.add(
                opcode,
                namespace.id(),
                address,
                prp2,
                firstBlock,
                SubmissionEntry.NLB.of(blocks - 1L),
                handler,
                context);
        commands.submitIfIdle(request);
        return request;
    }

    private IllegalArgumentException untransferable(long address, long length) {
        return new IllegalArgumentException("cannot transfer " + length + " bytes at device address 0x"
                + Long.toHexString(address) + " in one command: it takes up to " + maximumTransferBytes
                + " bytes, at a multiple of 4");
    }

    /**
     * Submits any command.
     *
     * @param command the command, of which nothing is kept
     * @return the request, which must be awaited
     * @throws IllegalArgumentException if its buffers do not fit it
     * @throws IllegalStateException if the queue is full, see {@link #room}
     * @throws IOException if the device has failed
     */
    public NvmeRequest submit(NvmeCommand command) throws IOException {
        check(command);
        return put(command, 0, null, 0);
    }

    /**
     * Submits any command, and tells a handler.
     *
     * @param command the command, of which nothing is kept
     * @param handler told of the completion
     * @param context passed on to the handler
     * @throws IllegalArgumentException if its buffers do not fit it
     * @throws IllegalStateException if the queue is full, see {@link #room}
     * @throws IOException if the device has failed
     */
    public void submit(NvmeCommand command, CompletionHandler handler, long context) throws IOException {
        check(command);
        put(command, 0, Objects.requireNonNull(handler, NO_HANDLER), context);
    }

    /**
     * Submits two commands that the controller carries out as one, or neither of them: compare and write. NVMe base
     * specification 2.0, 3.4.2.
     *
     * @param first the compare
     * @param second the write, of the same blocks
     * @return the request of the second command, which must be awaited; it fails with {@link Status#FAILED_FUSED} if the
     *     first did
     * @throws IllegalStateException if the queue does not have room for two
     * @throws IOException if the device has failed
     */
    public NvmeRequest submitFused(NvmeCommand first, NvmeCommand second) throws IOException {
        if (room() < 2) {
            throw commands.full();
        }
        // Both before the first of them is in the queue.
        check(first);
        check(second);
        // The first tells nobody: the second one's status says how both ended.
        put(first, SubmissionEntry.FUSE_FIRST, RequestSlots.IGNORED, 0);
        return put(second, SubmissionEntry.FUSE_SECOND, null, 0);
    }

    private void check(NvmeCommand command) {
        command.checkBuffers();
        long length = command.dataBytes();
        ScatterList pieces = command.pieces();
        long address = pieces == null || pieces.count() == 0 ? command.dataAddress() : pieces.address(0);
        if (length > maximumTransferBytes || (address & (Integer.BYTES - 1)) != 0) {
            throw untransferable(address, length);
        }
        boolean takesPieces = pieces == null
                || (scatterGathers && pieces.count() <= pointers.maximumPieces())
                || pointers.arePages(pieces);
        if (!takesPieces) {
            throw new IllegalArgumentException(this + " cannot transfer " + pieces + ": "
                    + (scatterGathers
                            ? "one command takes up to " + pointers.maximumPieces() + " pieces"
                            : "its controller has no scatter gather lists, so pieces have to be whole pages"));
        }
    }

    /** Puts a command that was checked into the queue. */
    private NvmeRequest put(NvmeCommand command, int fuse, @Nullable CompletionHandler handler, long context)
            throws IOException {
        int slot = commands.nextSlot();
        ScatterList pieces = command.pieces();
        long first = command.dataAddress();
        long second;
        int kind = SubmissionEntry.PSDT_PRP;
        CommandPayload payload = command.payload();
        if (payload != null) {
            first = pointers.place(slot, payload);
            second = 0;
        } else if (pieces == null) {
            second = pointers.second(slot, first, command.dataBytes());
        } else if (pointers.arePages(pieces)) {
            first = pieces.address(0);
            second = pointers.second(slot, pieces);
        } else {
            first = pointers.describe(slot, pieces);
            second = DataPointers.sglWord(Sgl.LAST_SEGMENT, (long) pieces.count() * Sgl.SIZE_BYTES);
            kind = SubmissionEntry.PSDT_SGL;
        }
        int flags = command.opcode() | (int) SubmissionEntry.FUSE.of(fuse) | (int) SubmissionEntry.PSDT.of(kind);
        return commands.add(flags, command, first, second, handler, context);
    }

    /**
     * Announces what was written to the queue since the last time. {@link #poll} does that too, and a read or write that
     * finds nothing on its way announces itself.
     *
     * @throws IOException if the device is gone, or refuses; the next poll tells who waits
     */
    public void submit() throws IOException {
        commands.submit();
    }

    /**
     * Announces new commands and takes all completions that are there, without waiting. A command that takes longer than
     * the controller's {@link NvmeController#commandTimeout} is aborted here, by a reset of the controller if need be,
     * which does take a while; its status is an abort's then. So is a controller that reports a fatal error, or is not
     * ready any more, once a command has taken some 10 ms.
     *
     * <p>When the device is gone, could not be reset, or was closed, everything on its way is {@linkplain
     * CompletionHandler told} to have been aborted before this throws.
     *
     * @return how many there were
     * @throws DeviceException if the device is gone, or completed what was never submitted; the queue pair is unusable
     *     then, unless a reset brings the controller back
     * @throws IOException if it failed before
     */
    public int poll() throws IOException {
        return commands.poll();
    }

    /**
     * Announces new commands and takes all completions that are there; if there are none, waits for the first, by polling
     * or asleep as the queue pair was made. For those who submit with handlers.
     *
     * @param timeout how long to wait at most; 0 is {@link #poll}
     * @return how many there were; 0 if it took too long, which ends no command
     * @throws IOException as of {@link #poll}
     */
    public int await(Duration timeout) throws IOException {
        return commands.await(timeout);
    }

    /**
     * How many more commands can be submitted now.
     *
     * @return {@link #depth} less those on their way
     */
    public int room() {
        return commands.room();
    }

    /**
     * How many commands can be on their way at a time.
     *
     * @return the number
     */
    public int depth() {
        return commands.depth();
    }

    CommandQueue commands() {
        return commands;
    }

    /**
     * Deletes the queues. What is still on its way is {@linkplain CompletionHandler told} to have been aborted. If the
     * device did not confirm, it may write to buffers until it is reset or closed.
     */
    @Override
    public void close() {
        commands.close();
    }

    @Override
    public String toString() {
        return commands.toString();
    }
}
