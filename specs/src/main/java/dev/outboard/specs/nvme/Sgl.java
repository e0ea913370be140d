package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/** Scatter gather lists: descriptors of 16 bytes. NVMe base specification 2.0, 4.1.2. */
public final class Sgl {
    /** The size of a descriptor. */
    public static final int SIZE_BYTES = 16;
    /** Where the address is, 64 bits. */
    public static final long ADDRESS = 0;
    /** Where the length is, 32 bits, in bytes. */
    public static final long LENGTH = 8;
    /** Where the identifier is, 8 bits: {@link #TYPE} and {@link #SUBTYPE}. */
    public static final long IDENTIFIER = 15;
    /** Identifier: what the address means; 0 is the address itself. */
    public static final Field SUBTYPE = Field.bits("SUBTYPE", 3, 0);
    /** Identifier: what the descriptor is. */
    public static final Field TYPE = Field.bits("TYPE", 7, 4);
    /** Type: data. */
    public static final int DATA_BLOCK = 0x0;
    /** Type: data that is read and thrown away. */
    public static final int BIT_BUCKET = 0x1;
    /** Type: more descriptors, the last of which may point to more. */
    public static final int SEGMENT = 0x2;
    /** Type: the last descriptors. */
    public static final int LAST_SEGMENT = 0x3;

    private Sgl() {}
}
