package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** End-to-end protection: 8 bytes of a block's metadata, in big-endian order. NVM command set specification 1.0, 5.2. */
public final class ProtectionInformation {
    /** The size of the tuple. */
    public static final int SIZE_BYTES = 8;
    /** Where the guard is, 16 bits: a CRC of the data and of the metadata in front. */
    public static final long GUARD = 0;
    /** Where the application tag is, 16 bits. */
    public static final long APPLICATION_TAG = 2;
    /** Where the reference tag is, 32 bits. */
    public static final long REFERENCE_TAG = 4;
    /** The guard's polynomial, that of T10 DIF, highest bit first. */
    public static final int GUARD_POLYNOMIAL = 0x8bb7;
    /** An application tag that turns the checks off. */
    public static final int APPLICATION_TAG_UNCHECKED = 0xffff;
    /** CDW12: the controller makes the protection information, or takes it away. */
    public static final Field PRACT = Field.bit("PRACT", 29);
    /** CDW12: check the guard. */
    public static final Field CHECK_GUARD = Field.bit("PRCHK_GUARD", 28);
    /** CDW12: check the application tag. */
    public static final Field CHECK_APPLICATION_TAG = Field.bit("PRCHK_APP", 27);
    /** CDW12: check the reference tag. */
    public static final Field CHECK_REFERENCE_TAG = Field.bit("PRCHK_REF", 26);
    /** CDW12 of zone append: the reference tag follows the place that is assigned. */
    public static final Field PIREMAP = Field.bit("PIREMAP", 25);
    /** CDW15: the application tag. */
    public static final Field LBAT = Field.bits("LBAT", 15, 0);
    /** CDW15: which bits of the application tag are checked. */
    public static final Field LBATM = Field.bits("LBATM", 31, 16);

    private static final int GUARD_HIGHEST_BIT = 0x8000;
    private static final int GUARD_MASK = 0xffff;
    /** What each byte leaves behind. */
    private static final char[] REMAINDERS = remainders();

    private ProtectionInformation() {}

    private static char[] remainders() {
        char[] table = new char[1 << Byte.SIZE];
        for (int i = 0; i < table.length; i++) {
            int remainder = i << Byte.SIZE;
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                boolean carries = (remainder & GUARD_HIGHEST_BIT) != 0;
                remainder = remainder << 1 ^ (carries ? GUARD_POLYNOMIAL : 0);
            }
            table[i] = (char) remainder;
        }
        return table;
    }

    /**
     * The guard: the CRC-16 of T10 DIF. NVM command set specification 1.0, 5.2.1.2.
     *
     * @param before the guard of what goes in front; 0 if nothing does
     * @param bytes where the bytes are
     * @param offset where they start, in bytes
     * @param length how many
     * @return the guard of what goes in front and the bytes, 16 bits
     */
    public static int guard(int before, MemorySegment bytes, long offset, long length) {
        int crc = before;
        for (long at = offset; at < offset + length; at++) {
            int index = (crc >>> Byte.SIZE ^ bytes.get(ValueLayout.JAVA_BYTE, at)) & 0xff;
            crc = (crc << Byte.SIZE & GUARD_MASK) ^ REMAINDERS[index];
        }
        return crc;
    }
}
