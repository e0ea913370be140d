package dev.outboard.nvme;

import dev.outboard.specs.nvme.Copy;
import dev.outboard.specs.nvme.DatasetManagement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

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

    private final MemorySegment data;
    private final int rangeBytes;
    private int bytes;

    private CommandPayload(int maximumBytes, int rangeBytes) {
        data = MemorySegment.ofArray(new long[maximumBytes / Long.BYTES]);
        this.rangeBytes = rangeBytes;
    }

    static CommandPayload ofDeallocation() {
        return new CommandPayload(
                MAXIMUM_DEALLOCATED_RANGES * DatasetManagement.RANGE_BYTES, DatasetManagement.RANGE_BYTES);
    }

    static CommandPayload ofCopy(boolean longTags) {
        int size = longTags ? Copy.LONG_RANGE_BYTES : Copy.SHORT_RANGE_BYTES;
        return new CommandPayload(Math.min(MAXIMUM_COPIED_RANGES, MAXIMUM_BYTES / size) * size, size);
    }

    static CommandPayload of(long... words) {
        CommandPayload payload = new CommandPayload(words.length * Long.BYTES, 0);
        payload.bytes = words.length * Long.BYTES;
        MemorySegment.copy(words, 0, payload.data, ValueLayout.JAVA_LONG, 0, words.length);
        return payload;
    }

    /** Adds a range; returns how many there are then. */
    int addRange(long firstBlock, long blocks) {
        boolean copies = rangeBytes != DatasetManagement.RANGE_BYTES;
        long most = copies ? QueuePair.MAXIMUM_BLOCKS : MAXIMUM_DEALLOCATED_BLOCKS;
        if (blocks < 1 || blocks > most) {
            throw new IllegalArgumentException("a range has 1 to " + most + " blocks, not " + blocks);
        }
        if (bytes + rangeBytes > data.byteSize()) {
            throw new IllegalStateException("the command has all " + bytes / rangeBytes + " ranges that it can have");
        }
        if (copies) {
            data.set(ValueLayout.JAVA_LONG, bytes + Copy.RANGE_FIRST, firstBlock);
            data.set(ValueLayout.JAVA_SHORT, bytes + Copy.RANGE_NLB, (short) (blocks - 1));
        } else {
            data.set(ValueLayout.JAVA_LONG, bytes + DatasetManagement.RANGE_FIRST, firstBlock);
            data.set(ValueLayout.JAVA_INT, bytes + DatasetManagement.RANGE_LENGTH, (int) blocks);
        }
        bytes += rangeBytes;
        return bytes / rangeBytes;
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
