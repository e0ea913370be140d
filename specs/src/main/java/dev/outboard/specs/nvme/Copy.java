package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/** The copy command and its source ranges. NVM command set specification 1.0, 3.2.2. */
public final class Copy {
    /** CDW12: the number of ranges, less one. */
    public static final Field NR = Field.bits("NR", 7, 0);
    /** CDW12: the ranges' format. */
    public static final Field FORMAT = Field.bits("DESFMT", 11, 8);
    /** CDW12: protection information of what is read. */
    public static final Field PRINFO_READ = Field.bits("PRINFOR", 15, 12);
    /** CDW12: protection information of what is written. */
    public static final Field PRINFO_WRITE = Field.bits("PRINFOW", 29, 26);
    /** CDW12: check the storage tags of what is read. */
    public static final Field CHECK_STORAGE_TAG_READ = Field.bit("STCR", 25);
    /** Format 0: with reference tags of 32 bits. */
    public static final int FORMAT_SHORT = 0;
    /** Format 1: with reference tags of up to 80 bits. */
    public static final int FORMAT_LONG = 1;
    /** The size of a range of format 0. */
    public static final int SHORT_RANGE_BYTES = 32;
    /** The size of a range of format 1. */
    public static final int LONG_RANGE_BYTES = 40;
    /** Range: where the first block is, 64 bits. */
    public static final long RANGE_FIRST = 8;
    /** Range: where the number of blocks is, 16 bits, less one. */
    public static final long RANGE_NLB = 16;
    /** Range of format 0: where the expected reference tag is, 32 bits. */
    public static final long SHORT_RANGE_REFERENCE_TAG = 24;
    /** Range of format 0: where the expected application tag and its mask are, 32 bits. */
    public static final long SHORT_RANGE_APPLICATION_TAG = 28;

    /** Range of format 1: where the expected storage and reference tag are, 80 bits in big-endian order. */
    public static final long LONG_RANGE_TAGS = 26;
    /** Range of format 1: where the expected application tag and its mask are, 32 bits. */
    public static final long LONG_RANGE_APPLICATION_TAG = 36;

    private Copy() {}
}
