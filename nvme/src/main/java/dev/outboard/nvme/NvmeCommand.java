package dev.outboard.nvme;

import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.ScatterList;
import dev.outboard.specs.nvme.Copy;
import dev.outboard.specs.nvme.DatasetManagement;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A command with everything that it can have: for the many commands that {@link QueuePair} has no method of its own for,
 * and for reads and writes with more than blocks and a buffer. {@link QueuePair#submit(NvmeCommand)} copies it, so an
 * object can be filled in anew and submitted again. One thread at a time. NVMe base specification 2.0, 3.3.3.1.
 *
 * <pre>{@code
 * queue.submit(NvmeCommand.write(namespace, 0, 8).forceUnitAccess().data(buffer)).await(timeout);
 * queue.submit(NvmeCommand.of(0xc1).namespace(1).dword(12, 42)).await(timeout);
 * }</pre>
 */
public final class NvmeCommand {
    private static final int DWORDS = SubmissionEntry.SIZE_BYTES / Integer.BYTES;
    private static final int FIRST_COMMAND_DWORD = (int) SubmissionEntry.CDW10 / Integer.BYTES;

    private final int[] dwords = new int[DWORDS];
    private @Nullable ScatterList pieces;
    private long address;
    private long length;
    private long secondPointer;
    private @Nullable DmaMemory metadata;
    private @Nullable NvmeNamespace namespace;
    private @Nullable CommandPayload payload;
    private long storageTag;
    private long referenceTag;

    private NvmeCommand(int opcode) {
        dwords[0] = Objects.checkIndex(opcode, 1 << SubmissionEntry.OPCODE.widthBits());
    }

    /**
     * Any command.
     *
     * @param opcode its opcode, one of {@link Opcode} or a vendor's
     * @return a command with zeros in all other fields
     */
    public static NvmeCommand of(int opcode) {
        return new NvmeCommand(opcode);
    }

    /**
     * Reads blocks.
     *
     * @param namespace where from
     * @param firstBlock the first block
     * @param blocks how many, 1 to {@link QueuePair#MAXIMUM_BLOCKS}
     * @return the command; needs {@link #data(DmaMemory)}
     */
    public static NvmeCommand read(NvmeNamespace namespace, long firstBlock, int blocks) {
        return onBlocks(Opcode.READ, namespace, firstBlock, blocks);
    }

    /**
     * Writes blocks.
     *
     * @param namespace where to
     * @param firstBlock the first block
     * @param blocks how many, 1 to {@link QueuePair#MAXIMUM_BLOCKS}
     * @return the command; needs {@link #data(DmaMemory)}
     */
    public static NvmeCommand write(NvmeNamespace namespace, long firstBlock, int blocks) {
        return onBlocks(Opcode.WRITE, namespace, firstBlock, blocks);
    }

    /**
     * Compares blocks with data; the command fails with {@link dev.outboard.specs.nvme.Status#COMPARE_FAILURE} if they
     * differ.
     *
     * @param namespace where
     * @param firstBlock the first block
     * @param blocks how many, 1 to {@link QueuePair#MAXIMUM_BLOCKS}
     * @return the command; needs {@link #data(DmaMemory)}
     */
    public static NvmeCommand compare(NvmeNamespace namespace, long firstBlock, int blocks) {
        return onBlocks(Opcode.COMPARE, namespace, firstBlock, blocks);
    }

    /**
     * Has the controller read blocks and check them, without a transfer.
     *
     * @param namespace where
     * @param firstBlock the first block
     * @param blocks how many, 1 to {@link QueuePair#MAXIMUM_BLOCKS}
     * @return the command
     */
    public static NvmeCommand verify(NvmeNamespace namespace, long firstBlock, int blocks) {
        return onBlocks(Opcode.VERIFY, namespace, firstBlock, blocks);
    }

    /**
     * Makes blocks zero, without a transfer.
     *
     * @param namespace where
     * @param firstBlock the first block
     * @param blocks how many, 1 to {@link QueuePair#MAXIMUM_BLOCKS}
     * @param deallocate whether the controller may give back the room that they take
     * @return the command
     */
    public static NvmeCommand writeZeroes(NvmeNamespace namespace, long firstBlock, int blocks, boolean deallocate) {
        NvmeCommand command = onBlocks(Opcode.WRITE_ZEROES, namespace, firstBlock, blocks);
        command.dwords[12] |= (int) SubmissionEntry.DEALLOCATE.of(deallocate ? 1 : 0);
        return command;
    }

    /**
     * Makes blocks unreadable until they are written, for tests of what reads them.
     *
     * @param namespace where
     * @param firstBlock the first block
     * @param blocks how many, 1 to {@link QueuePair#MAXIMUM_BLOCKS}
     * @return the command
     */
    public static NvmeCommand writeUncorrectable(NvmeNamespace namespace, long firstBlock, int blocks) {
        return onBlocks(Opcode.WRITE_UNCORRECTABLE, namespace, firstBlock, blocks);
    }

    /**
     * Tells the controller that blocks are not needed any more, each {@link #range} of them: trim. What they read as
     * afterwards is the controller's choice.
     *
     * @param namespace where
     * @return the command; needs a {@link #range}, and has up to 256
     */
    public static NvmeCommand deallocate(NvmeNamespace namespace) {
        NvmeCommand command = new NvmeCommand(Opcode.DATASET_MANAGEMENT).namespace(namespace.id());
        command.dwords[11] = (int) DatasetManagement.DEALLOCATE.mask();
        command.namespace = namespace;
        command.payload = CommandPayload.ofDeallocation();
        return command;
    }

    /**
     * Has the controller copy blocks, each {@link #range} of them, to one place, one after the other. The ranges are in
     * the format that goes with the namespace's guards: format 1 has room for long tags.
     *
     * @param namespace where
     * @param targetBlock the first block of the target
     * @return the command; needs a {@link #range}, and has up to 128, or 102 of format 1
     */
    public static NvmeCommand copy(NvmeNamespace namespace, long targetBlock) {
        boolean longTags = namespace.protection().guard() != Guard.BITS_16;
        NvmeCommand command =
                new NvmeCommand(Opcode.COPY).namespace(namespace.id()).qword(10, targetBlock);
        command.dwords[12] = (int) Copy.FORMAT.of(longTags ? Copy.FORMAT_LONG : Copy.FORMAT_SHORT);
        command.namespace = namespace;
        command.payload = CommandPayload.ofCopy(namespace.protection());
        return command;
    }

    /**
     * Adds blocks to a {@link #deallocate} or a {@link #copy}. What a copy expects of them, if it shall check that
     * ({@link Copy#PRINFO_READ}), are reference tags that count from their first block, and the {@link #storageTag} that the
     * command has by then.
     *
     * @param firstBlock the first of them
     * @param blocks how many: 32 bits of a deallocation, up to {@link QueuePair#MAXIMUM_BLOCKS} of a copy
     * @return this
     * @throws IndexOutOfBoundsException if the blocks are not all there
     * @throws IllegalStateException if it has all that the command can have
     */
    public NvmeCommand range(long firstBlock, long blocks) {
        if (payload == null || namespace == null) {
            throw new IllegalStateException(Opcode.ioName(opcode()) + " takes no ranges");
        }
        Objects.checkFromIndexSize(firstBlock, blocks, namespace.blockCount());
        int ranges = payload.addRange(firstBlock, blocks, storageTag);
        if (opcode() == Opcode.COPY) {
            dwords[12] = (int) Copy.NR.set(dwords[12], ranges - 1L);
        } else {
            dwords[10] = (int) DatasetManagement.NR.of(ranges - 1L);
        }
        return this;
    }

    /**
     * Takes all ranges away, to fill in others.
     *
     * @return this
     */
    public NvmeCommand clearRanges() {
        if (payload != null) {
            payload.clear();
        }
        return this;
    }

    /** Sends these numbers of 64 bits as data. */
    NvmeCommand payload(long... words) {
        payload = CommandPayload.of(words);
        return this;
    }

    /** A command on a namespace that names blocks only by where they start. */
    static NvmeCommand at(int opcode, NvmeNamespace namespace, long firstBlock) {
        return new NvmeCommand(opcode).namespace(namespace.id()).qword(10, firstBlock);
    }

    static NvmeCommand onBlocks(int opcode, NvmeNamespace namespace, long firstBlock, int blocks) {
        namespace.checkBlocks(firstBlock, blocks);
        NvmeCommand command = new NvmeCommand(opcode).namespace(namespace.id()).qword(10, firstBlock);
        command.dwords[12] = (int) SubmissionEntry.NLB.of(blocks - 1L);
        command.namespace = namespace;
        return command;
    }

    /**
     * Names the namespace.
     *
     * @param id its identifier; -1 for all
     * @return this
     */
    public NvmeCommand namespace(int id) {
        dwords[(int) SubmissionEntry.NSID / Integer.BYTES] = id;
        return this;
    }

    /**
     * Sets one of the dwords that depend on the command.
     *
     * @param number 2, 3, or 10 to 15
     * @param value what it shall be
     * @return this
     * @throws IllegalArgumentException if the number is another: those are set by other methods
     */
    public NvmeCommand dword(int number, int value) {
        boolean isFree = number == 2 || number == 3 || (number >= FIRST_COMMAND_DWORD && number < DWORDS);
        if (!isFree) {
            throw new IllegalArgumentException("dword " + number + " is not the command's own: 2, 3 and 10 to 15 are");
        }
        dwords[number] = value;
        return this;
    }

    /**
     * Sets two dwords, the low half first.
     *
     * @param number the number of the first, see {@link #dword}
     * @param value what they shall be
     * @return this
     */
    public NvmeCommand qword(int number, long value) {
        return dword(number, (int) value).dword(number + 1, (int) (value >>> Integer.SIZE));
    }

    /**
     * Transfers a whole buffer.
     *
     * @param memory the buffer
     * @return this
     */
    public NvmeCommand data(DmaMemory memory) {
        return data(memory, 0, memory.sizeBytes());
    }

    /**
     * Transfers a part of a buffer.
     *
     * @param memory the buffer
     * @param from where in it, in bytes; a multiple of 4 for the device
     * @param bytes how much
     * @return this
     * @throws IndexOutOfBoundsException if it does not have that
     */
    public NvmeCommand data(DmaMemory memory, long from, long bytes) {
        Objects.checkFromIndexSize(from, bytes, memory.sizeBytes());
        return data(memory.deviceAddress() + from, bytes);
    }

    /**
     * Transfers a piece of the controller's own memory, which must {@linkplain DeviceMemory#takesReads take} it.
     *
     * @param memory the piece
     * @return this
     */
    public NvmeCommand data(DeviceMemory.Piece memory) {
        return data(memory.deviceAddress(), memory.sizeBytes());
    }

    private NvmeCommand data(long deviceAddress, long bytes) {
        address = deviceAddress;
        length = bytes;
        pieces = null;
        return this;
    }

    /** Names memory that the controller keeps, by what stands in place of PRP entries. */
    NvmeCommand pointers(long first, long second) {
        secondPointer = second;
        return data(first, 0);
    }

    /**
     * Transfers several pieces of memory as one. Any pieces if the controller knows scatter gather lists; else all but the
     * first have to start at a page, and all but the last to end at one.
     *
     * @param memory the pieces; looked at when the command is submitted
     * @return this
     */
    public NvmeCommand data(ScatterList memory) {
        data(0, 0);
        pieces = memory;
        return this;
    }

    /**
     * Transfers metadata apart from the data.
     *
     * @param memory a buffer for the metadata of all blocks, contiguous for the device
     * @return this
     */
    public NvmeCommand metadata(DmaMemory memory) {
        metadata = memory;
        int at = (int) SubmissionEntry.MPTR / Integer.BYTES;
        dwords[at] = (int) memory.deviceAddress();
        dwords[at + 1] = (int) (memory.deviceAddress() >>> Integer.SIZE);
        return this;
    }

    /**
     * Has a write complete only once it is durable, and a read come from the media.
     *
     * @return this
     */
    public NvmeCommand forceUnitAccess() {
        dwords[12] |= (int) SubmissionEntry.FUA.mask();
        return this;
    }

    /**
     * Says what the controller does with the protection information of the blocks. NVM command set specification 1.0,
     * 5.2.
     *
     * @param action true to have the controller add it to what it writes and strip it from what it reads
     * @param check which parts of it to check: {@link ProtectionInformation#CHECK_GUARD}, {@link
     *     ProtectionInformation#CHECK_APPLICATION_TAG}, {@link ProtectionInformation#CHECK_REFERENCE_TAG}, {@link
     *     ProtectionInformation#CHECK_STORAGE_TAG}, as masks
     * @param firstReferenceTag the reference tag of the first block; as many of its low bits count as the tag has
     * @param applicationTag the tag of all blocks, 16 bits
     * @param applicationTagMask which bits of it to check
     * @return this
     */
    public NvmeCommand protection(
            boolean action, long check, long firstReferenceTag, int applicationTag, int applicationTagMask) {
        dwords[12] |= (int) (ProtectionInformation.PRACT.of(action ? 1 : 0) | check);
        dwords[15] = (int)
                (ProtectionInformation.LBAT.of(applicationTag) | ProtectionInformation.LBATM.of(applicationTagMask));
        return tags(storageTag, firstReferenceTag);
    }

    /**
     * Sets the storage tag of the blocks: what they are given, or what is expected of them.
     *
     * @param tag the tag; as many of its low bits count as the tag has
     * @return this
     */
    public NvmeCommand storageTag(long tag) {
        return tags(tag, referenceTag);
    }

    private NvmeCommand tags(long storage, long reference) {
        storageTag = storage;
        referenceTag = reference;
        ProtectionInformation format = namespace == null ? ProtectionInformation.STANDARD : namespace.protection();
        long low = format.low(storage, reference);
        dwords[14] = (int) low;
        if (format.guard() != Guard.BITS_16) {
            dwords[2] = format.high(storage);
            dwords[3] = (int) (low >>> Integer.SIZE);
        }
        return this;
    }

    int opcode() {
        return dwords[0];
    }

    int namespaceId() {
        return dwords[(int) SubmissionEntry.NSID / Integer.BYTES];
    }

    /** Two dwords as the queue has them. */
    long words(int number) {
        return Integer.toUnsignedLong(dwords[number]) | (long) dwords[number + 1] << Integer.SIZE;
    }

    /**
     * Checks that the buffers are as large as the controller takes them to be, so that it cannot go beyond them. What
     * another command transfers only its caller knows.
     */
    void checkBuffers() {
        NvmeNamespace on = namespace;
        if (payload != null && payload.bytes() == 0) {
            throw new IllegalArgumentException(Opcode.ioName(opcode()) + " has no range; add one");
        }
        if (on == null || !transfersBlocks()) {
            return;
        }
        long blocks = SubmissionEntry.NLB.get(dwords[12]) + 1;
        boolean stripped = ProtectionInformation.PRACT.isSet(dwords[12]) && on.hasOnlyProtection();
        long metadataBytes = stripped ? 0 : blocks * on.metadataBytes();
        long expected = blocks * on.blockSizeBytes() + (on.hasExtendedBlocks() ? metadataBytes : 0);
        if (dataBytes() != expected) {
            throw new IllegalArgumentException(
                    "the data of " + blocks + " blocks of " + on + " are " + expected + " bytes, not " + dataBytes());
        }
        long given = metadata == null ? 0 : metadata.sizeBytes();
        if (!on.hasExtendedBlocks() && given < metadataBytes) {
            throw new IllegalArgumentException("the metadata of " + blocks + " blocks of " + on + " are "
                    + metadataBytes + " bytes, not " + given);
        }
    }

    private boolean transfersBlocks() {
        return switch (opcode()) {
            case Opcode.READ, Opcode.WRITE, Opcode.COMPARE, Opcode.ZONE_APPEND -> true;
            default -> false;
        };
    }

    /** What the command brings along by itself, instead of a buffer. */
    @Nullable
    CommandPayload payload() {
        return payload;
    }

    @Nullable
    ScatterList pieces() {
        return pieces;
    }

    long dataAddress() {
        return address;
    }

    /** What stands in place of PRP entry 2 of a command without data. */
    long secondPointer() {
        return secondPointer;
    }

    long dataBytes() {
        return pieces == null ? length : pieces.totalBytes();
    }
}
