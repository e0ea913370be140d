package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.outboard.specs.nvme.Copy;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * What blocks are given as tags, or are expected to have. NVM command set specification 1.0, 5.2.1.4.
 *
 * @param storage the storage tag of all
 * @param reference the reference tag of the first
 * @param application the application tag of all and its mask, as dword 15 has them
 */
record BlockTags(long storage, long reference, int application) {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static BlockTags of(ProtectionInformation protection, int high, long low, int application) {
        return new BlockTags(protection.storageTag(high, low), protection.referenceTag(low), application);
    }

    /** Those of a command. */
    static BlockTags of(Command command, BlockFormat format) {
        long low = Integer.toUnsignedLong(command.dword(SubmissionEntry.CDW14))
                | (long) command.dword(SubmissionEntry.CDW3) << Integer.SIZE;
        return of(format.protection(), command.dword(SubmissionEntry.CDW2), low, command.dword(SubmissionEntry.CDW15));
    }

    /** Those of a range that is to be copied. */
    static BlockTags of(MemorySegment list, long range, BlockFormat format) {
        if (format.protection().guard() == Guard.BITS_16) {
            int low = list.get(JAVA_INT_UNALIGNED, range + Copy.SHORT_RANGE_REFERENCE_TAG);
            int application = list.get(JAVA_INT_UNALIGNED, range + Copy.SHORT_RANGE_APPLICATION_TAG);
            return of(format.protection(), 0, Integer.toUnsignedLong(low), application);
        }
        long at = range + Copy.LONG_RANGE_TAGS;
        int application = list.get(JAVA_INT_UNALIGNED, range + Copy.LONG_RANGE_APPLICATION_TAG);
        return of(format.protection(), list.get(SHORT, at), list.get(LONG, at + Short.BYTES), application);
    }

    /** Those of blocks further on, where reference tags count. */
    BlockTags plus(long blocks) {
        return new BlockTags(storage, reference + blocks, application);
    }
}
