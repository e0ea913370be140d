package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.Status;
import java.lang.foreign.MemorySegment;

/**
 * Protection information of one block after the other: made, or checked. NVM command set specification 1.0, 5.2. It is
 * set up for a command, and then walks along its blocks.
 */
final class Protection {
    /** The type whose reference tags are the blocks' addresses. */
    static final int TYPE_1 = 1;

    /** The type whose reference tags are the host's own. */
    static final int TYPE_3 = 3;

    private BlockFormat format = new BlockFormat(0, false, 0, false);
    private ProtectionInformation information = format.protection();
    private int prinfo;
    private int applicationTag;
    private int applicationMask;
    private long storageTag;
    private long storageMask;
    private long referenceTag;

    /**
     * Sets up for the blocks of a command. {@code flags} are the bits of {@link ProtectionInformation} for dword 12.
     * Returns a status.
     */
    int start(Namespace namespace, int flags, BlockTags tags, long firstBlock) {
        format = namespace.format();
        information = format.protection();
        prinfo = flags;
        storageTag = tags.storage();
        storageMask = namespace.storageTagMask();
        referenceTag = tags.reference() & information.referenceTagMask();
        applicationTag = (int) ProtectionInformation.LBAT.get(tags.application());
        applicationMask = (int) ProtectionInformation.LBATM.get(tags.application());
        boolean checksReference = ProtectionInformation.CHECK_REFERENCE_TAG.isSet(flags);
        boolean isAddress = referenceTag == (firstBlock & information.referenceTagMask());
        // The reference tag of type 1 is the block's address, that of type 3 cannot be checked. 5.2.3.
        boolean impossible = checksReference
                && (format.protectionType() == TYPE_3 || (format.protectionType() == TYPE_1 && !isAddress));
        return impossible ? Status.INVALID_PROTECTION_INFORMATION : Status.SUCCESS;
    }

    /** Whether the controller makes or takes away the protection information, and it is all the metadata there is. */
    static boolean isInvisible(BlockFormat format, int flags) {
        return format.hasOnlyProtection() && ProtectionInformation.PRACT.isSet(flags);
    }

    /** Makes the protection information of the next block. */
    void make(MemorySegment data, long dataAt, MemorySegment metadata, long metadataAt) {
        long start = metadataAt + format.protectionOffset();
        information.setGuard(metadata, start, guard(data, dataAt, metadata, metadataAt));
        information.setApplicationTag(metadata, start, applicationTag);
        information.setTags(metadata, start, storageTag, referenceTag);
        next();
    }

    /** Checks the protection information of the next block. Returns a status. */
    int check(MemorySegment data, long dataAt, MemorySegment metadata, long metadataAt) {
        long start = metadataAt + format.protectionOffset();
        int application = information.applicationTag(metadata, start);
        long reference = information.referenceTag(metadata, start);
        int status = Status.SUCCESS;
        if (isChecked(application, reference)) {
            if (ProtectionInformation.CHECK_GUARD.isSet(prinfo)
                    && information.guard(metadata, start) != guard(data, dataAt, metadata, metadataAt)) {
                status = Status.GUARD_CHECK_ERROR;
            } else if (ProtectionInformation.CHECK_APPLICATION_TAG.isSet(prinfo)
                    && ((application ^ applicationTag) & applicationMask) != 0) {
                status = Status.APPLICATION_TAG_CHECK_ERROR;
            } else if (ProtectionInformation.CHECK_REFERENCE_TAG.isSet(prinfo) && reference != referenceTag) {
                status = Status.REFERENCE_TAG_CHECK_ERROR;
            } else if (ProtectionInformation.CHECK_STORAGE_TAG.isSet(prinfo)
                    && ((information.storageTag(metadata, start) ^ storageTag) & storageMask) != 0) {
                status = Status.STORAGE_TAG_CHECK_ERROR;
            }
        }
        next();
        return status;
    }

    /** Adds to the reference tag of a block. */
    static void shift(BlockFormat format, MemorySegment metadata, long metadataAt, long blocks) {
        ProtectionInformation information = format.protection();
        long start = metadataAt + format.protectionOffset();
        long storage = information.storageTag(metadata, start);
        information.setTags(metadata, start, storage, information.referenceTag(metadata, start) + blocks);
    }

    private boolean isChecked(int application, long reference) {
        return application != ProtectionInformation.APPLICATION_TAG_UNCHECKED
                || (format.protectionType() == TYPE_3 && reference != information.referenceTagMask());
    }

    // The reference tags of type 3 are the host's own. 5.2.1.3.
    private void next() {
        if (format.protectionType() != TYPE_3) {
            referenceTag = (referenceTag + 1) & information.referenceTagMask();
        }
    }

    private long guard(MemorySegment data, long dataAt, MemorySegment metadata, long metadataAt) {
        long guard = information.guard().of(0, data, dataAt, format.blockBytes());
        return information.guard().of(guard, metadata, metadataAt, format.protectionOffset());
    }
}
