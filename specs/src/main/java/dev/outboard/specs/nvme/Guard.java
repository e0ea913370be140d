package dev.outboard.specs.nvme;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The guard of a block: a CRC of its data and of the metadata in front of the protection information. Its width is the
 * protection information format (PIF), and what else is in the protection information depends on it. NVM command set
 * specification 1.0, 5.2.1.
 */
@SuppressWarnings("ImmutableEnumChecker") // nobody writes to the tables
public enum Guard {
    /** 16 bits: the CRC of T10 DIF, highest bit first. */
    BITS_16(0, Short.BYTES, 4, 0, 0x8bb7_0000_0000_0000L, false),
    /** 32 bits: CRC-32C, lowest bit first. */
    BITS_32(1, Integer.BYTES, 10, 16, 0x82f6_3b78L, true),
    /** 64 bits: the CRC-64 of NVMe, lowest bit first. */
    BITS_64(2, Long.BYTES, 6, 0, 0x9a6c_9329_ac4b_c9b5L, true);

    /** The largest storage tag: what is left of the widest storage and reference space by the smallest reference tag. */
    private static final int LARGEST_TAG_BITS = Long.SIZE;

    private static final int LOWEST_BYTE = 0xff;

    private final int format;
    private final int bytes;
    private final int tagBytes;
    private final int smallestStorageTagBits;
    private final boolean lowestBitFirst;
    /** What each byte leaves behind. */
    private final long[] remainders;

    /** {@code polynomial} is the one that divides a register of 64 bits, without the bit that falls out. */
    Guard(int format, int bytes, int tagBytes, int smallestStorageTagBits, long polynomial, boolean lowestBitFirst) {
        this.format = format;
        this.bytes = bytes;
        this.tagBytes = tagBytes;
        this.smallestStorageTagBits = smallestStorageTagBits;
        this.lowestBitFirst = lowestBitFirst;
        remainders = new long[1 << Byte.SIZE];
        for (int i = 0; i < remainders.length; i++) {
            remainders[i] = lowestBitFirst ? shiftedRight(i, polynomial) : shiftedLeft(i, polynomial);
        }
    }

    private static long shiftedRight(int value, long polynomial) {
        long remainder = value;
        for (int bit = 0; bit < Byte.SIZE; bit++) {
            remainder = (remainder >>> 1) ^ ((remainder & 1) == 0 ? 0 : polynomial);
        }
        return remainder;
    }

    private static long shiftedLeft(int value, long polynomial) {
        long remainder = (long) value << (Long.SIZE - Byte.SIZE);
        for (int bit = 0; bit < Byte.SIZE; bit++) {
            remainder = (remainder << 1) ^ (remainder < 0 ? polynomial : 0);
        }
        return remainder;
    }

    /**
     * The guard of a protection information format.
     *
     * @param format PIF
     * @return the guard
     * @throws IllegalArgumentException if there is none
     */
    public static Guard of(int format) {
        for (Guard guard : values()) {
            if (guard.format == format) {
                return guard;
            }
        }
        throw new IllegalArgumentException("there is no protection information format " + format);
    }

    /**
     * The protection information format.
     *
     * @return PIF
     */
    public int format() {
        return format;
    }

    /**
     * How wide it is.
     *
     * @return 16, 32 or 64
     */
    public int bits() {
        return bytes * Byte.SIZE;
    }

    /** How wide it is, in bytes. */
    int bytes() {
        return bytes;
    }

    /** How many bytes storage tag and reference tag share. */
    int tagBytes() {
        return tagBytes;
    }

    /**
     * The smallest storage tag that protection information with this guard can have.
     *
     * @return STS
     */
    public int smallestStorageTagBits() {
        return smallestStorageTagBits;
    }

    /**
     * Whether protection information with this guard can have a storage tag so large.
     *
     * @param storageTagBits STS
     * @return whether it can
     */
    public boolean allowsStorageTag(int storageTagBits) {
        return storageTagBits >= smallestStorageTagBits
                && storageTagBits <= Math.min(LARGEST_TAG_BITS, tagBytes * Byte.SIZE);
    }

    /**
     * The guard of some bytes.
     *
     * @param before the guard of what goes in front; 0 if nothing does
     * @param segment where the bytes are
     * @param offset where they start, in bytes
     * @param length how many
     * @return the guard of what goes in front and the bytes
     */
    public long of(long before, MemorySegment segment, long offset, long length) {
        return lowestBitFirst
                ? lowestFirst(before, segment, offset, length)
                : highestFirst(before, segment, offset, length);
    }

    // The register is inverted before the first byte and after the last. NVM command set specification 1.0, 5.2.1.3.
    private long lowestFirst(long before, MemorySegment segment, long offset, long length) {
        long mask = -1L >>> (Long.SIZE - bits());
        long crc = ~before & mask;
        for (long at = offset; at < offset + length; at++) {
            int index = (int) (crc ^ segment.get(ValueLayout.JAVA_BYTE, at)) & LOWEST_BYTE;
            crc = (crc >>> Byte.SIZE) ^ remainders[index];
        }
        return ~crc & mask;
    }

    private long highestFirst(long before, MemorySegment segment, long offset, long length) {
        int unused = Long.SIZE - bits();
        long crc = before << unused;
        for (long at = offset; at < offset + length; at++) {
            int index =
                    (int) ((crc >>> (Long.SIZE - Byte.SIZE)) ^ segment.get(ValueLayout.JAVA_BYTE, at)) & LOWEST_BYTE;
            crc = (crc << Byte.SIZE) ^ remainders[index];
        }
        return crc >>> unused;
    }
}
