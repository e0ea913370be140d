package dev.outboard.nvme;

import static java.nio.ByteOrder.BIG_ENDIAN;

import dev.outboard.driver.DeviceException;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Protection information that the host makes and checks itself, so that data are protected from where they are made to the
 * media and back. The controller checks it, too, if a command {@linkplain NvmeCommand#protection asks it to}. NVM command
 * set specification 1.0, 5.2: 16-bit guards, the reference tag of types 1 and 2 is the low half of the block's number, that
 * of type 3 is left to the caller.
 *
 * <p>Safe for use by several threads.
 */
public final class BlockProtection {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(BIG_ENDIAN);
    private static final int OWN_REFERENCE_TAGS = 3;
    private static final int REFERENCE_TAG_UNCHECKED = -1;

    private final NvmeNamespace namespace;
    private final boolean referencesBlocks;
    /** Where the tuple is in a block's metadata. */
    private final int tupleOffset;

    /**
     * The protection of a namespace.
     *
     * @param namespace the namespace
     * @throws IllegalArgumentException if it has no protection information
     */
    public BlockProtection(NvmeNamespace namespace) {
        if (namespace.protectionType() == 0 || namespace.metadataBytes() < ProtectionInformation.SIZE_BYTES) {
            throw new IllegalArgumentException(
                    namespace + " has no protection information; format it with some, type 1 for example");
        }
        this.namespace = namespace;
        referencesBlocks = namespace.protectionType() != OWN_REFERENCE_TAGS;
        tupleOffset = namespace.isProtectionFirst() ? 0 : namespace.metadataBytes() - ProtectionInformation.SIZE_BYTES;
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
            long tuple = at.metadataAt + tupleOffset;
            at.metadata.set(SHORT, tuple + ProtectionInformation.GUARD, (short) guard(at));
            at.metadata.set(SHORT, tuple + ProtectionInformation.APPLICATION_TAG, (short) applicationTag);
            if (referencesBlocks) {
                at.metadata.set(INT, tuple + ProtectionInformation.REFERENCE_TAG, (int) (firstBlock + i));
            }
        }
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
            long tuple = at.metadataAt + tupleOffset;
            int application = word(at, tuple + ProtectionInformation.APPLICATION_TAG);
            int reference = at.metadata.get(INT, tuple + ProtectionInformation.REFERENCE_TAG);
            boolean isChecked = application != ProtectionInformation.APPLICATION_TAG_UNCHECKED
                    || (!referencesBlocks && reference != REFERENCE_TAG_UNCHECKED);
            if (isChecked) {
                check("guard", firstBlock + i, word(at, tuple + ProtectionInformation.GUARD), guard(at));
                check("application tag", firstBlock + i, application, applicationTag);
                check(
                        "reference tag",
                        firstBlock + i,
                        reference,
                        referencesBlocks ? (int) (firstBlock + i) : reference);
            }
        }
    }

    private static int word(Place at, long offset) {
        return Short.toUnsignedInt(at.metadata.get(SHORT, offset));
    }

    private void check(String what, long block, int found, int expected) throws DeviceException {
        if (found != expected) {
            throw new DeviceException(String.format(
                    "block %d of namespace %d has the %s 0x%x, and 0x%x was expected: its data were changed on their way,"
                            + " or are another block's; write it again",
                    block, namespace.id(), what, found, expected));
        }
    }

    /** Of the data, and of the metadata in front of the tuple. */
    private int guard(Place at) {
        int data = ProtectionInformation.guard(0, at.data, at.dataAt, namespace.blockSizeBytes());
        return ProtectionInformation.guard(data, at.metadata, at.metadataAt, tupleOffset);
    }
}
