package dev.outboard.specs.nvme;

import static java.nio.ByteOrder.BIG_ENDIAN;

import dev.outboard.memory.Field;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * End-to-end protection: 8 or 16 bytes of a block's metadata, in big-endian order: guard, application tag, and a space that
 * storage tag and reference tag share. NVM command set specification 1.0, 5.2.
 *
 * @param guard how wide the guard is
 * @param storageTagBits how many of the highest bits of that space are the storage tag (STS); the others are the reference
 *     tag
 */
public record ProtectionInformation(Guard guard, int storageTagBits) {
    /** That of namespaces that say nothing else: guards of 16 bits, reference tags of 32, no storage tags. */
    public static final ProtectionInformation STANDARD = new ProtectionInformation(Guard.BITS_16, 0);

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
    /** CDW12: check the storage tag. */
    public static final Field CHECK_STORAGE_TAG = Field.bit("STC", 24);
    /** CDW15: the application tag. */
    public static final Field LBAT = Field.bits("LBAT", 15, 0);
    /** CDW15: which bits of the application tag are checked. */
    public static final Field LBATM = Field.bits("LBATM", 31, 16);

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(BIG_ENDIAN);

    /**
     * Checks it.
     *
     * @throws IllegalArgumentException if a storage tag of so many bits does not go with the guard
     */
    public ProtectionInformation {
        if (!guard.allowsStorageTag(storageTagBits)) {
            throw new IllegalArgumentException("protection information with guards of " + guard.bits()
                    + " bits has no storage tags of " + storageTagBits + " bits");
        }
    }

    /**
     * Its size.
     *
     * @return bytes of a block's metadata
     */
    public int sizeBytes() {
        return guard.bytes() + Short.BYTES + guard.tagBytes();
    }

    /**
     * How wide the reference tag is.
     *
     * @return bits, 0 to 64
     */
    public int referenceTagBits() {
        return guard.tagBytes() * Byte.SIZE - storageTagBits;
    }

    /**
     * All bits of a reference tag.
     *
     * @return a mask
     */
    public long referenceTagMask() {
        return mask(referenceTagBits());
    }

    /**
     * All bits of a storage tag.
     *
     * @return a mask
     */
    public long storageTagMask() {
        return mask(storageTagBits);
    }

    private static long mask(int bits) {
        return bits == 0 ? 0 : -1L >>> (Long.SIZE - bits);
    }

    /**
     * The guard that protection information has.
     *
     * @param metadata where it is
     * @param at where it starts, in bytes
     * @return the guard
     */
    public long guard(MemorySegment metadata, long at) {
        return switch (guard) {
            case BITS_16 -> Short.toUnsignedLong(metadata.get(SHORT, at));
            case BITS_32 -> Integer.toUnsignedLong(metadata.get(INT, at));
            case BITS_64 -> metadata.get(LONG, at);
        };
    }

    /**
     * Sets the guard.
     *
     * @param metadata where the protection information is
     * @param at where it starts, in bytes
     * @param value the guard
     */
    public void setGuard(MemorySegment metadata, long at, long value) {
        switch (guard) {
            case BITS_16 -> metadata.set(SHORT, at, (short) value);
            case BITS_32 -> metadata.set(INT, at, (int) value);
            case BITS_64 -> metadata.set(LONG, at, value);
        }
    }

    /**
     * The application tag that protection information has.
     *
     * @param metadata where it is
     * @param at where it starts, in bytes
     * @return the tag, 16 bits
     */
    public int applicationTag(MemorySegment metadata, long at) {
        return Short.toUnsignedInt(metadata.get(SHORT, at + guard.bytes()));
    }

    /**
     * Sets the application tag.
     *
     * @param metadata where the protection information is
     * @param at where it starts, in bytes
     * @param value the tag, 16 bits
     */
    public void setApplicationTag(MemorySegment metadata, long at, int value) {
        metadata.set(SHORT, at + guard.bytes(), (short) value);
    }

    /**
     * The reference tag that protection information has.
     *
     * @param metadata where it is
     * @param at where it starts, in bytes
     * @return the tag
     */
    public long referenceTag(MemorySegment metadata, long at) {
        return referenceTag(low(metadata, at + guard.bytes() + Short.BYTES));
    }

    /**
     * The storage tag that protection information has.
     *
     * @param metadata where it is
     * @param at where it starts, in bytes
     * @return the tag; 0 if there is none
     */
    public long storageTag(MemorySegment metadata, long at) {
        long start = at + guard.bytes() + Short.BYTES;
        int high = guard == Guard.BITS_32 ? metadata.get(SHORT, start) : 0;
        return storageTag(high, low(metadata, start));
    }

    /** The lowest 64 bits of the space that both tags share. */
    private long low(MemorySegment metadata, long start) {
        return switch (guard) {
            case BITS_16 -> Integer.toUnsignedLong(metadata.get(INT, start));
            case BITS_32 -> metadata.get(LONG, start + Short.BYTES);
            case BITS_64 ->
                Short.toUnsignedLong(metadata.get(SHORT, start)) << Integer.SIZE
                        | Integer.toUnsignedLong(metadata.get(INT, start + Short.BYTES));
        };
    }

    /**
     * Sets the storage tag and the reference tag.
     *
     * @param metadata where the protection information is
     * @param at where it starts, in bytes
     * @param storageTag the storage tag; bits that it does not have are left out
     * @param referenceTag the reference tag; bits that it does not have are left out
     */
    public void setTags(MemorySegment metadata, long at, long storageTag, long referenceTag) {
        long start = at + guard.bytes() + Short.BYTES;
        long low = low(storageTag, referenceTag);
        switch (guard) {
            case BITS_16 -> metadata.set(INT, start, (int) low);
            case BITS_32 -> {
                metadata.set(SHORT, start, (short) high(storageTag));
                metadata.set(LONG, start + Short.BYTES, low);
            }
            case BITS_64 -> {
                metadata.set(SHORT, start, (short) (low >>> Integer.SIZE));
                metadata.set(INT, start + Short.BYTES, (int) low);
            }
        }
    }

    /**
     * The lowest 64 bits of both tags side by side, as commands carry them: in dword 14, and above it in dword 3. NVM
     * command set specification 1.0, 5.2.1.4.
     *
     * @param storageTag the storage tag; bits that it does not have are left out
     * @param referenceTag the reference tag; bits that it does not have are left out
     * @return 32, 64 or 48 bits that matter
     */
    public long low(long storageTag, long referenceTag) {
        int bits = referenceTagBits();
        long storage = bits == Long.SIZE ? 0 : (storageTag & storageTagMask()) << bits;
        return storage | (referenceTag & referenceTagMask());
    }

    /**
     * The highest 16 of their up to 80 bits, as commands carry them in dword 2.
     *
     * @param storageTag the storage tag
     * @return 16 bits; 0 but with guards of 32 bits
     */
    public int high(long storageTag) {
        // With the other guards all bits are low.
        return guard == Guard.BITS_32 ? (int) ((storageTag & storageTagMask()) >>> (storageTagBits - Short.SIZE)) : 0;
    }

    /**
     * The reference tag of a command.
     *
     * @param low the lowest 64 bits of both tags
     * @return the reference tag
     */
    public long referenceTag(long low) {
        return low & referenceTagMask();
    }

    /**
     * The storage tag of a command.
     *
     * @param high the highest 16 bits of both tags
     * @param low the lowest 64 bits of both tags
     * @return the storage tag; 0 if there is none
     */
    public long storageTag(int high, long low) {
        int bits = referenceTagBits();
        long lowPart = bits == Long.SIZE ? 0 : low >>> bits;
        // Of 80 bits, 16 are above the low ones, and these are the highest of the storage tag.
        long highPart = guard == Guard.BITS_32 ? (long) high << (storageTagBits - Short.SIZE) : 0;
        return (highPart | lowPart) & storageTagMask();
    }
}
