package dev.outboard.memory;

import java.util.List;

/**
 * The definition of a register. Declare it once, as a constant; as a record in a {@code static final} it costs nothing
 * over bare numbers once compiled.
 *
 * @param name its name in the specification
 * @param offset its offset in its region, in bytes
 * @param widthBits 8, 16, 32 or 64
 * @param access what reading and writing it do
 * @param section where the specification defines it
 * @param fields its fields, lowest first
 */
public record Register(String name, long offset, int widthBits, Access access, String section, List<Field> fields) {
    /** What reading and writing a register do. */
    public enum Access {
        /** Can be read; writing has no effect. */
        READ_ONLY,
        /** Can be read and written. */
        READ_WRITE,
        /** Can be written; what reading returns means nothing. */
        WRITE_ONLY,
        /** Writing ones clears those bits. */
        WRITE_1_TO_CLEAR,
        /** Writing ones sets those bits. */
        WRITE_1_TO_SET,
        /** Reading clears it: tools do not read it unasked. */
        READ_TO_CLEAR
    }

    /** Checks the width and that the fields fit. */
    public Register {
        if (widthBits != Byte.SIZE && widthBits != Short.SIZE && widthBits != Integer.SIZE && widthBits != Long.SIZE) {
            throw new IllegalArgumentException(name + " is " + widthBits + " bits wide, not 8, 16, 32 or 64");
        }
        for (Field field : fields) {
            if (field.lowBit() + field.widthBits() > widthBits) {
                throw new IllegalArgumentException(name + "." + field.name() + " does not fit " + widthBits + " bits");
            }
        }
        fields = List.copyOf(fields);
    }

    /**
     * Defines a register.
     *
     * @param name its name in the specification
     * @param offset its offset in its region, in bytes
     * @param widthBits 8, 16, 32 or 64
     * @param access what reading and writing it do
     * @param section where the specification defines it
     * @param fields its fields, lowest first
     * @return the definition
     */
    public static Register of(String name, long offset, int widthBits, Access access, String section, Field... fields) {
        return new Register(name, offset, widthBits, access, section, List.of(fields));
    }

    /**
     * The same register at another place, for arrays of registers.
     *
     * @param otherOffset the offset, in bytes
     * @return the definition
     */
    public Register at(long otherOffset) {
        return new Register(name, otherOffset, widthBits, access, section, fields);
    }
}
