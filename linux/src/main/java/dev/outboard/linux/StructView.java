package dev.outboard.linux;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A structure in memory, its fields read and written by their C names. Numbers are in the byte order of this machine;
 * unsigned ones of up to 32 bits are returned unsigned.
 */
public final class StructView {
    private final Struct struct;
    private final MemorySegment segment;

    StructView(Struct struct, MemorySegment segment) {
        this.struct = struct;
        this.segment = segment;
    }

    /**
     * The memory of the structure.
     *
     * @return the segment, with the bytes that follow the structure if it was allocated with some
     */
    public MemorySegment segment() {
        return segment;
    }

    /**
     * Reads a field.
     *
     * @param field its name in C
     * @return its value, zero-extended
     */
    public long get(String field) {
        long offset = struct.offset(field);
        return switch (struct.field(field).widthBytes()) {
            case Byte.BYTES -> Byte.toUnsignedLong(segment.get(ValueLayout.JAVA_BYTE, offset));
            case Short.BYTES -> Short.toUnsignedLong(segment.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset));
            case Integer.BYTES -> Integer.toUnsignedLong(segment.get(ValueLayout.JAVA_INT_UNALIGNED, offset));
            default -> segment.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
        };
    }

    /**
     * Reads a field that holds a number of up to 31 bits.
     *
     * @param field its name in C
     * @return its value
     * @throws ArithmeticException if it does not fit
     */
    public int getInt(String field) {
        return Math.toIntExact(get(field));
    }

    /**
     * Writes a field.
     *
     * @param field its name in C
     * @param value its value, signed or unsigned
     * @return this view
     * @throws IllegalArgumentException if the value does not fit
     */
    public StructView set(String field, long value) {
        long offset = struct.offset(field);
        int widthBytes = struct.field(field).widthBytes();
        int widthBits = widthBytes * Byte.SIZE;
        // What is left above the field is zero, or the sign of a negative number that fits.
        if (widthBits < Long.SIZE && value >>> widthBits != 0 && value >> (widthBits - 1) != -1) {
            throw new IllegalArgumentException(
                    value + " does not fit the " + widthBits + " bits of " + struct.name() + "." + field);
        }
        switch (widthBytes) {
            case Byte.BYTES -> segment.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
            case Short.BYTES -> segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, offset, (short) value);
            case Integer.BYTES -> segment.set(ValueLayout.JAVA_INT_UNALIGNED, offset, (int) value);
            default -> segment.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, value);
        }
        return this;
    }

    /**
     * The bytes of a field.
     *
     * @param field its name in C
     * @return a slice of the structure's memory
     */
    public MemorySegment slice(String field) {
        Struct.Field found = struct.field(field);
        return segment.asSlice(struct.offset(field), found.widthBytes() * found.count());
    }

    /**
     * What follows the structure in its memory.
     *
     * @return the bytes after its last field
     */
    public MemorySegment trailing() {
        return segment.asSlice(struct.byteSize());
    }
}
