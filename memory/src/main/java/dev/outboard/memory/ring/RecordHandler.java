package dev.outboard.memory.ring;

import java.lang.foreign.MemorySegment;

/** What is done with each record that is read. */
@FunctionalInterface
public interface RecordHandler {
    /**
     * Takes one record. The memory holds it during this call only. A record counts as read even if this throws.
     *
     * @param type the record's type, as its producer gave it; unsigned
     * @param memory read-only memory that holds the record among other things
     * @param offset where the record starts in the memory, in bytes; a multiple of 8
     * @param length the record's length, in bytes
     */
    void record(int type, MemorySegment memory, long offset, int length);
}
