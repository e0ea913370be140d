package dev.outboard.nvme;

import dev.outboard.specs.nvme.Copy;
import dev.outboard.specs.nvme.DatasetManagement;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The little that some commands send along: a list of ranges, or a few numbers. It goes into the page that each slot of a
 * queue pair has, when the command is submitted, so that no caller has to find DMA memory for it.
 */
final class CommandPayload {
    /** The smallest page of a controller, which is what a slot has at least. */
    private static final int MAXIMUM_BYTES = 4096;

    private static final int MAXIMUM_DEALLOCATED_RANGES = 256;
    private static final int MAXIMUM_COPIED_RANGES = 128;
    private static final long MAXIMUM_DEALLOCATED_BLOCKS = 0xffff_ffffL;

    private static final ValueLayout.OfShort BIG_ENDIAN_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong BIG_ENDIAN_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final MemorySegment data;
    private final int rangeBytes;
    /** What the blocks of a copy are protected by; null for what is no copy. */
    private final @Nullable ProtectionInformation protection;

    private int bytes;

    private CommandPayload(int maximumBytes, int rangeBytes, @Nullable ProtectionInformation protection) {
        data = MemorySegment.ofArray(new long[maximumBytes / Long.BYTES]);
        this.rangeBytes = rangeBytes;
        this.protection = protection;
    }

    static CommandPayload ofDeallocation() {
        return new CommandPayload(
                MAXIMUM_DEALLOCATED_RANGES * DatasetManagement.RANGE_BYTES, DatasetManagement.RANGE_BYTES, null);
    }

    static CommandPayload ofCopy(ProtectionInformation protection) {
        int size = protection.guard() == Guard.BITS_16 ? Copy.SHORT_RANGE_BYTES : Copy.LONG_RANGE_BYTES;
        return new CommandPayload(Math.min(MAXIMUM_COPIED_RANGES, MAXIMUM_BYTES / size) * size, size, protection);
    }

    static CommandPayload of(long... words) {
        CommandPayload payload = new CommandPayload(words.length * Long.BYTES, 0, null);
        payload.bytes = words.length * Long.BYTES;
        MemorySegment.copy(words, 0, payload.data, ValueLayout.JAVA_LONG, 0, words.length);
        return payload;
    }

    /** Adds a range, of blocks with a storage tag if it is to be copied; returns how many there are then. */
    int addRange(long firstBlock, long blocks, long storageTag) {
        ProtectionInformation copied = protection;
        long most = copied != null ? QueuePair.MAXIMUM_BLOCKS : MAXIMUM_DEALLOCATED_BLOCKS;
        if (blocks < 1 || blocks > most) {
            throw new IllegalArgumentException("a range has 1 to " + most + " blocks, not " + blocks);
        }
        if (bytes + rangeBytes > data.byteSize()) {
            throw new IllegalStateException("the command has all " + bytes / rangeBytes + " ranges that it can have");
        }
        if (copied != null) {
            data.set(ValueLayout.JAVA_LONG, bytes + Copy.RANGE_FIRST, firstBlock);
            data.set(ValueLayout.JAVA_SHORT, bytes + Copy.RANGE_NLB, (short) (blocks - 1));
            setTags(copied, copied.high(storageTag), copied.low(storageTag, firstBlock));
        } else {
            data.set(ValueLayout.JAVA_LONG, bytes + DatasetManagement.RANGE_FIRST, firstBlock);
            data.set(ValueLayout.JAVA_INT, bytes + DatasetManagement.RANGE_LENGTH, (int) blocks);
        }
        bytes += rangeBytes;
        return bytes / rangeBytes;
    }

    private void setTags(ProtectionInformation copied, int high, long low) {
        if (copied.guard() == Guard.BITS_16) {
            data.set(ValueLayout.JAVA_INT, bytes + Copy.SHORT_RANGE_REFERENCE_TAG, (int) low);
        } else {
            long at = bytes + Copy.LONG_RANGE_TAGS;
            data.set(BIG_ENDIAN_SHORT, at, (short) high);
            data.set(BIG_ENDIAN_LONG, at + Short.BYTES, low);
        }
    }

    void clear() {
        bytes = 0;
    }

    int bytes() {
        return bytes;
    }

    void copyTo(MemorySegment page, long offset) {
        MemorySegment.copy(data, 0, page, offset, bytes);
    }
}
