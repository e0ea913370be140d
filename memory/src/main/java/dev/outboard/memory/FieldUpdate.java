package dev.outboard.memory;

/**
 * New values for some bits of a register: of one field, or of several by {@link #and}. Made by {@link Field#to}; applied
 * in one read and one write by {@link Registers#modify(Register, FieldUpdate)}. An update that is made on a hot path may
 * be an allocation, where the compiler does not inline all of it; a constant is none, nor is
 * {@link Registers#modify(Register, Field, long)}.
 *
 * @param mask ones in the bits that change
 * @param bits their new values, in place
 */
public record FieldUpdate(long mask, long bits) {
    /** Checks that only the bits of the mask have values. */
    public FieldUpdate {
        if ((bits & ~mask) != 0) {
            throw new IllegalArgumentException(
                    "0x" + Long.toHexString(bits) + " has bits outside of the mask 0x" + Long.toHexString(mask));
        }
    }

    /**
     * This and another update in one.
     *
     * @param other the other
     * @return both
     * @throws IllegalArgumentException if both set the same bit
     */
    public FieldUpdate and(FieldUpdate other) {
        if ((mask & other.mask) != 0) {
            throw new IllegalArgumentException(
                    "0x" + Long.toHexString(mask & other.mask) + " would be set twice; set each field once");
        }
        return new FieldUpdate(mask | other.mask, bits | other.bits);
    }

    /**
     * Applies it to a word.
     *
     * @param word the word
     * @return the word with the new values
     */
    public long applyTo(long word) {
        return (word & ~mask) | bits;
    }
}
