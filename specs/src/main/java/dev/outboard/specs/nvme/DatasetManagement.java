package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/** Dataset management. NVM command set specification 1.0, 3.2.3. */
public final class DatasetManagement {
    /** CDW10: the number of ranges, less one. */
    public static final Field NR = Field.bits("NR", 7, 0);
    /** CDW11: deallocate. */
    public static final Field DEALLOCATE = Field.bit("AD", 2);
    /** The size of a range. */
    public static final int RANGE_BYTES = 16;
    /** Range: where the number of blocks is, 32 bits. */
    public static final long RANGE_LENGTH = 4;
    /** Range: where the first block is, 64 bits. */
    public static final long RANGE_FIRST = 8;

    private DatasetManagement() {}
}
