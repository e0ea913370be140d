package dev.outboard.memory;

/**
 * A field of a register or of a word of a structure.
 *
 * @param name its name in the specification
 * @param lowBit its lowest bit, from 0
 * @param widthBits how many bits it has, at least 1
 */
public record Field(String name, int lowBit, int widthBits) {
    /** Checks that the field lies in a word of 64 bits. */
    public Field {
        if (lowBit < 0 || widthBits < 1 || lowBit > Long.SIZE - widthBits) {
            throw new IllegalArgumentException(
                    name + " has " + widthBits + " bits from bit " + lowBit + ", outside of 63:0");
        }
    }

    /**
     * A field of one bit.
     *
     * @param name its name in the specification
     * @param bit the bit, from 0
     * @return the definition
     */
    public static Field bit(String name, int bit) {
        return new Field(name, bit, 1);
    }

    /**
     * A field of several bits, in the order of specifications.
     *
     * @param name its name in the specification
     * @param highBit its highest bit
     * @param lowBit its lowest bit, from 0
     * @return the definition
     */
    public static Field bits(String name, int highBit, int lowBit) {
        return new Field(name, lowBit, highBit - lowBit + 1);
    }

    /**
     * The field's bits in place.
     *
     * @return ones where the field is
     */
    public long mask() {
        return (-1L >>> (Long.SIZE - widthBits)) << lowBit;
    }

    /**
     * Takes the field out of a word.
     *
     * @param word the word
     * @return the field's value, zero-extended
     */
    public long get(long word) {
        return (word >>> lowBit) & (-1L >>> (Long.SIZE - widthBits));
    }

    /**
     * Whether the field is not zero.
     *
     * @param word the word
     * @return false if all its bits are zero
     */
    public boolean isSet(long word) {
        return (word & mask()) != 0;
    }

    /**
     * Replaces the field in a word.
     *
     * @param word the word
     * @param value the field's new value
     * @return the word with the new value
     * @throws IllegalArgumentException if the value does not fit
     */
    public long set(long word, long value) {
        if (value >>> (widthBits - 1) >>> 1 != 0) {
            throw new IllegalArgumentException(value + " does not fit the " + widthBits + " bits of " + name);
        }
        return (word & ~mask()) | (value << lowBit);
    }

    /**
     * A word in which only this field is set.
     *
     * @param value the field's value
     * @return the word
     * @throws IllegalArgumentException if the value does not fit
     */
    public long of(long value) {
        return set(0, value);
    }
}
