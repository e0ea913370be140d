package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/** Where the words of a completion queue entry are, in bytes. NVMe base specification 2.0, 3.3.3.2. */
public final class CompletionEntry {
    /** The size of an entry. */
    public static final int SIZE_BYTES = 16;
    /** The size of an entry, as a power of two: CC.IOCQES. */
    public static final int SIZE_SHIFT = 4;

    /** Command specific result. */
    public static final long DW0 = 0;
    /** More of the command specific result. */
    public static final long DW1 = 4;
    /** {@link #SQ_HEAD} and {@link #SQ_ID}. */
    public static final long DW2 = 8;
    /** {@link #COMMAND_ID}, {@link #PHASE} and {@link #STATUS}: written last, and read first. */
    public static final long DW3 = 12;

    /** DW2: how far the controller has read the submission queue. */
    public static final Field SQ_HEAD = Field.bits("SQHD", 15, 0);
    /** DW2: the submission queue that the command came from. */
    public static final Field SQ_ID = Field.bits("SQID", 31, 16);
    /** DW3: the command's identifier. */
    public static final Field COMMAND_ID = Field.bits("CID", 15, 0);
    /** DW3: inverted each time that the queue wraps. */
    public static final Field PHASE = Field.bit("P", 16);
    /** DW3: the status field, see {@link Status}. */
    public static final Field STATUS = Field.bits("STATUS", 31, 17);

    private CompletionEntry() {}
}
