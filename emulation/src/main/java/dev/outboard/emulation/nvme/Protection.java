package dev.outboard.emulation.nvme;

import static java.nio.ByteOrder.BIG_ENDIAN;

import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Protection information of one block after the other: made, or checked. NVM command set specification 1.0, 5.2. It is
 * set up for a command, and then walks along its blocks.
 */
final class Protection {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(BIG_ENDIAN);
    /** The type whose reference tags are the blocks' addresses. */
    static final int TYPE_1 = 1;

    /** The type whose reference tags are the host's own. */
    static final int TYPE_3 = 3;

    private static final int REFERENCE_TAG_UNCHECKED = -1;

    private BlockFormat format = new BlockFormat(0, false, 0, false);
    private int prinfo;
    private int applicationTag;
    private int applicationMask;
    private int referenceTag;

    /**
     * Sets up for the blocks of a command. {@code flags} are the bits of {@link ProtectionInformation} for dword 12.
     * Returns a status.
     */
    int start(BlockFormat blockFormat, int flags, int firstReferenceTag, int tags, long firstBlock) {
        format = blockFormat;
        prinfo = flags;
        referenceTag = firstReferenceTag;
        applicationTag = (int) ProtectionInformation.LBAT.get(tags);
        applicationMask = (int) ProtectionInformation.LBATM.get(tags);
        boolean checksReference = ProtectionInformation.CHECK_REFERENCE_TAG.isSet(flags);
        // The reference tag of type 1 is the block's address, that of type 3 cannot be checked. 5.2.3.
        boolean impossible = checksReference
                && (format.protectionType() == TYPE_3
                        || (format.protectionType() == TYPE_1 && firstReferenceTag != (int) firstBlock));
        return impossible ? Status.INVALID_PROTECTION_INFORMATION : Status.SUCCESS;
    }

    /** Whether the controller makes or takes away the protection information, and it is all the metadata there is. */
    static boolean isInvisible(BlockFormat format, int flags) {
        return format.isProtected()
                && ProtectionInformation.PRACT.isSet(flags)
                && format.metadataBytes() == ProtectionInformation.SIZE_BYTES;
    }

    /** Makes the protection information of the next block. */
    void make(MemorySegment data, long dataAt, MemorySegment metadata, long metadataAt) {
        long tuple = metadataAt + format.protectionOffset();
        metadata.set(SHORT, tuple + ProtectionInformation.GUARD, (short) guard(data, dataAt, metadata, metadataAt));
        metadata.set(SHORT, tuple + ProtectionInformation.APPLICATION_TAG, (short) applicationTag);
        metadata.set(INT, tuple + ProtectionInformation.REFERENCE_TAG, referenceTag);
        next();
    }

    /** Checks the protection information of the next block. Returns a status. */
    int check(MemorySegment data, long dataAt, MemorySegment metadata, long metadataAt) {
        long tuple = metadataAt + format.protectionOffset();
        int guard = Short.toUnsignedInt(metadata.get(SHORT, tuple + ProtectionInformation.GUARD));
        int application = Short.toUnsignedInt(metadata.get(SHORT, tuple + ProtectionInformation.APPLICATION_TAG));
        int reference = metadata.get(INT, tuple + ProtectionInformation.REFERENCE_TAG);
        int status = Status.SUCCESS;
        if (isChecked(application, reference)) {
            if (ProtectionInformation.CHECK_GUARD.isSet(prinfo) && guard != guard(data, dataAt, metadata, metadataAt)) {
                status = Status.GUARD_CHECK_ERROR;
            } else if (ProtectionInformation.CHECK_APPLICATION_TAG.isSet(prinfo)
                    && ((application ^ applicationTag) & applicationMask) != 0) {
                status = Status.APPLICATION_TAG_CHECK_ERROR;
            } else if (ProtectionInformation.CHECK_REFERENCE_TAG.isSet(prinfo) && reference != referenceTag) {
                status = Status.REFERENCE_TAG_CHECK_ERROR;
            }
        }
        next();
        return status;
    }

    /** Adds to the reference tag of a block. */
    static void shift(BlockFormat format, MemorySegment metadata, long metadataAt, int blocks) {
        long at = metadataAt + format.protectionOffset() + ProtectionInformation.REFERENCE_TAG;
        metadata.set(INT, at, metadata.get(INT, at) + blocks);
    }

    private boolean isChecked(int application, int reference) {
        return application != ProtectionInformation.APPLICATION_TAG_UNCHECKED
                || (format.protectionType() == TYPE_3 && reference != REFERENCE_TAG_UNCHECKED);
    }

    // The reference tags of type 3 are the host's own. 5.2.1.3.
    private void next() {
        if (format.protectionType() != TYPE_3) {
            referenceTag++;
        }
    }

    private int guard(MemorySegment data, long dataAt, MemorySegment metadata, long metadataAt) {
        int guard = ProtectionInformation.guard(0, data, dataAt, format.blockBytes());
        return ProtectionInformation.guard(guard, metadata, metadataAt, format.protectionOffset());
    }
}
