package dev.outboard.memory;

import java.util.List;
import java.util.Locale;

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
 * @param description what it is, for people; may be empty
 * @param writeBack what {@link Registers#modify(Register, FieldUpdate)} writes in the bits that it does not change
 */
public record Register(
        String name,
        long offset,
        int widthBits,
        Access access,
        String section,
        List<Field> fields,
        String description,
        WriteBack writeBack) {
    /** What reading and writing a register or a field do. */
    public enum Access {
        /** Can be read; writing has no effect. */
        READ_ONLY,
        /** Can be read and written. */
        READ_WRITE,
        /** Can be written; what reading returns means nothing. */
        WRITE_ONLY,
        /** Can be read, and written once after a reset. */
        WRITE_ONCE,
        /** Writing ones clears those bits. */
        WRITE_1_TO_CLEAR,
        /** Writing ones sets those bits. */
        WRITE_1_TO_SET,
        /** Writing ones inverts those bits. */
        WRITE_1_TO_TOGGLE,
        /** Writing zeros clears those bits. */
        WRITE_0_TO_CLEAR,
        /** Writing zeros sets those bits. */
        WRITE_0_TO_SET,
        /** Writing zeros inverts those bits. */
        WRITE_0_TO_TOGGLE,
        /** Can be read; writing changes it, but not to what is written (clears it, sets it, starts something). */
        WRITE_HAS_EFFECT,
        /** Reading clears it: tools do not read it unasked. Writing has no effect. */
        READ_TO_CLEAR,
        /** Can be read and written; reading changes it or takes something (a FIFO): tools do not read it unasked. */
        READ_HAS_EFFECT;

        /**
         * Whether what is read means something.
         *
         * @return false if it can only be written
         */
        public boolean isReadable() {
            return this != WRITE_ONLY;
        }

        /**
         * Whether writing has an effect.
         *
         * @return false if it can only be read
         */
        public boolean isWritable() {
            return this != READ_ONLY && this != READ_TO_CLEAR;
        }

        /**
         * Whether reading changes something, so that a tool does it only when told.
         *
         * @return whether it does
         */
        public boolean readChanges() {
            return this == READ_TO_CLEAR || this == READ_HAS_EFFECT;
        }

        /**
         * Whether what was written is what is read afterwards.
         *
         * @return false if writing means something else, or reading does
         */
        public boolean readsWhatWasWritten() {
            return this == READ_WRITE || this == WRITE_ONCE;
        }

        /**
         * The rule in words.
         *
         * @return for example {@code "read-write"}
         */
        public String words() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /**
     * What an update writes in the bits that it does not change: zero, unless they are in one of these masks. A
     * write-1-to-clear bit that was written back as read would be cleared by an update of its neighbour.
     *
     * @param kept the bits that are written as they were read
     * @param ones the bits that are written as ones
     */
    public record WriteBack(long kept, long ones) {
        /** Checks that no bit is in both. */
        public WriteBack {
            if ((kept & ones) != 0) {
                throw new IllegalArgumentException("a bit is written as it was read, or as one, not both");
            }
        }

        private static WriteBack of(Access access, List<Field> fields) {
            long kept = keeps(access) ? -1 : 0;
            long ones = onesDoNothing(access) ? -1 : 0;
            for (Field field : fields) {
                Access own = field.access();
                if (own != null) {
                    kept = keeps(own) ? kept | field.mask() : kept & ~field.mask();
                    ones = onesDoNothing(own) ? ones | field.mask() : ones & ~field.mask();
                }
            }
            return new WriteBack(kept, ones);
        }

        private static boolean keeps(Access access) {
            return switch (access) {
                case READ_ONLY, READ_WRITE, WRITE_ONCE -> true;
                default -> false;
            };
        }

        private static boolean onesDoNothing(Access access) {
            return switch (access) {
                case WRITE_0_TO_CLEAR, WRITE_0_TO_SET, WRITE_0_TO_TOGGLE -> true;
                default -> false;
            };
        }
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
     * A register with nothing to say for people; what an update writes back follows from the rules.
     *
     * @param name its name in the specification
     * @param offset its offset in its region, in bytes
     * @param widthBits 8, 16, 32 or 64
     * @param access what reading and writing it do
     * @param section where the specification defines it
     * @param fields its fields, lowest first
     */
    public Register(String name, long offset, int widthBits, Access access, String section, List<Field> fields) {
        this(name, offset, widthBits, access, section, fields, "", WriteBack.of(access, fields));
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
        return new Register(name, otherOffset, widthBits, access, section, fields, description, writeBack);
    }

    /**
     * The same register under another name.
     *
     * @param otherName the name
     * @return the definition
     */
    public Register named(String otherName) {
        return new Register(otherName, offset, widthBits, access, section, fields, description, writeBack);
    }

    /**
     * The same register with a description.
     *
     * @param text what it is, for people
     * @return the definition
     */
    public Register describedAs(String text) {
        return new Register(name, offset, widthBits, access, section, fields, text, writeBack);
    }

    /**
     * Its width.
     *
     * @return 1, 2, 4 or 8
     */
    public int widthBytes() {
        return widthBits / Byte.SIZE;
    }

    /**
     * Whether reading it changes something, in itself or in one of its fields: tools do that only when told.
     *
     * @return whether it does
     */
    public boolean readChanges() {
        return access.readChanges()
                || fields.stream().anyMatch(field -> {
                    Access own = field.access();
                    return own != null && own.readChanges();
                });
    }

    /**
     * A field by its name; not for hot paths.
     *
     * @param fieldName its name, in any case
     * @return the field
     * @throws IllegalArgumentException if there is none
     */
    public Field field(String fieldName) {
        return fields.stream()
                .filter(field -> field.name().equalsIgnoreCase(fieldName))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(name + " has no field \"" + fieldName + "\"; it has "
                        + fields.stream().map(Field::name).toList()));
    }

    /**
     * What a value of this register means.
     *
     * @param value the register's value
     * @return the value and its fields
     */
    public DecodedRegister decode(long value) {
        return DecodedRegister.of(this, value);
    }
}
