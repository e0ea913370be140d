package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.lang.foreign.MemorySegment;

/**
 * Protection information that the host makes and checks itself, so that data are protected from where they are made to the
 * media and back. The controller checks it, too, if a command {@linkplain NvmeCommand#protection asks it to}. NVM command
 * set specification 1.0, 5.2: with guards of 16, 32 or 64 bits, as the namespace is formatted. The reference tag of types 1
 * and 2 is the low part of the block's number, that of type 3 is left to the caller.
 *
 * <p>Safe for use by several threads.
 */
public final class BlockProtection {
    private static final int OWN_REFERENCE_TAGS = 3;

    private final NvmeNamespace namespace;
    private final ProtectionInformation format;
    private final long storageTag;
    /** Which of its bits are checked. */
    private final long storageTagMask;

    private final boolean referencesBlocks;
    /** Where protection information is in a block's metadata. */
    private final int offset;

    /**
     * The protection of a namespace, with storage tags of 0 if it has some.
     *
     * @param namespace the namespace
     * @throws IllegalArgumentException if it has no protection information
     */
    public BlockProtection(NvmeNamespace namespace) {
        this(namespace, 0);
    }

    /**
     * The protection of a namespace.
     *
     * @param namespace the namespace
     * @param storageTag the storage tag of its blocks
     * @throws IllegalArgumentException if it has no protection information, or no storage tags so large
     */
    public BlockProtection(NvmeNamespace namespace, long storageTag) {
        format = namespace.protection();
        if (namespace.protectionType() == 0 || namespace.metadataBytes() < format.sizeBytes()) {
            throw new IllegalArgumentException(
                    namespace + " has no protection information; format it with some, type 1 for example");
        }
        if ((storageTag & ~format.storageTagMask()) != 0) {
            throw new IllegalArgumentException("the storage tag 0x" + Long.toHexString(storageTag)
                    + " has more than the " + format.storageTagBits() + " bits that storage tags have in " + namespace);
        }
        this.namespace = namespace;
        this.storageTag = storageTag;
        storageTagMask = namespace.storageTagMask();
        referencesBlocks = namespace.protectionType() != OWN_REFERENCE_TAGS;
        offset = namespace.isProtectionFirst() ? 0 : namespace.metadataBytes() - format.sizeBytes();
    }

    /** Where a block is in the buffers of a command. */
    private record Place(MemorySegment data, long dataAt, MemorySegment metadata, long metadataAt) {}

    private Place place(MemorySegment data, MemorySegment metadata, int index) {
        boolean extended = namespace.hasExtendedBlocks();
        long dataAt = (long) index * namespace.extendedBlockBytes();
        return extended
                ? new Place(data, dataAt, data, dataAt + namespace.blockSizeBytes())
                : new Place(data, dataAt, metadata, (long) index * namespace.metadataBytes());
    }

    private int blocks(MemorySegment data, MemorySegment metadata) {
        int each = namespace.extendedBlockBytes();
        int blocks = Math.toIntExact(data.byteSize() / each);
        boolean isMissing =
                !namespace.hasExtendedBlocks() && metadata.byteSize() < (long) blocks * namespace.metadataBytes();
        if (data.byteSize() % each != 0 || isMissing) {
            throw new IllegalArgumentException(data.byteSize() + " bytes of data and " + metadata.byteSize()
                    + " bytes of metadata are no blocks of " + each + " and " + namespace.metadataBytes() + " bytes");
        }
        return blocks;
    }

    /**
     * Makes the protection information of blocks that are about to be written.
     *
     * @param data the blocks; with their metadata if these {@linkplain NvmeNamespace#hasExtendedBlocks follow} them
     * @param metadata their metadata if these have a buffer of their own; not looked at else
     * @param firstBlock the number of the first
     * @param applicationTag the tag of all, 16 bits; 0xffff turns checks off
     */
    public void protect(MemorySegment data, MemorySegment metadata, long firstBlock, int applicationTag) {
        int blocks = blocks(data, metadata);
        for (int i = 0; i < blocks; i++) {
            Place at = place(data, metadata, i);
            long start = at.metadataAt + offset;
            format.setGuard(at.metadata, start, guard(at));
            format.setApplicationTag(at.metadata, start, applicationTag);
            format.setTags(at.metadata, start, storageTag, referenceTag(at, firstBlock + i));
        }
    }

    /** What the reference tag of a block should be: that of type 3 is what it is. */
    private long referenceTag(Place at, long block) {
        return referencesBlocks
                ? block & format.referenceTagMask()
                : format.referenceTag(at.metadata, at.metadataAt + offset);
    }

    /**
     * Checks blocks that were read. Those that were never written, or written so that nobody checks them, pass.
     *
     * @param data the blocks; with their metadata if these {@linkplain NvmeNamespace#hasExtendedBlocks follow} them
     * @param metadata their metadata if these have a buffer of their own; not looked at else
     * @param firstBlock the number of the first
     * @param applicationTag the tag of all, 16 bits
     * @throws DeviceException if a block is not what it should be; it says which, and why
     */
    public void check(MemorySegment data, MemorySegment metadata, long firstBlock, int applicationTag)
            throws DeviceException {
        int blocks = blocks(data, metadata);
        for (int i = 0; i < blocks; i++) {
            Place at = place(data, metadata, i);
            long start = at.metadataAt + offset;
            long block = firstBlock + i;
            int application = format.applicationTag(at.metadata, start);
            long reference = format.referenceTag(at.metadata, start);
            boolean isChecked = application != ProtectionInformation.APPLICATION_TAG_UNCHECKED
                    || (!referencesBlocks && reference != format.referenceTagMask());
            if (isChecked) {
                check("guard", block, format.guard(at.metadata, start), guard(at));
                check("application tag", block, application, applicationTag);
                check("reference tag", block, reference, referenceTag(at, block));
                long storage = format.storageTag(at.metadata, start);
                check("storage tag", block, storage & storageTagMask, storageTag & storageTagMask);
            }
        }
    }

    private void check(String what, long block, long found, long expected) throws DeviceException {
        if (found != expected) {
            throw new DeviceException(String.format(
                    "block %d of namespace %d has the %s 0x%x, and 0x%x was expected: its data were changed on their way,"
                            + " or are another block's; write it again",
                    block, namespace.id(), what, found, expected));
        }
    }

    /** Of the data, and of the metadata in front of the protection information. */
    private long guard(Place at) {
        Guard guard = format.guard();
        long data = guard.of(0, at.data, at.dataAt, namespace.blockSizeBytes());
        return guard.of(data, at.metadata, at.metadataAt, offset);
    }
}
