package dev.outboard.cli.reg;

import dev.outboard.driver.ByteSize;

/** Numbers as users write them for registers: up to 64 bits, unsigned. */
final class RegisterNumber {
    private static final int HEXADECIMAL = 16;

    private RegisterNumber() {}

    /** An unsigned number: decimal, {@code 0x…}, or with a unit as sizes have it. */
    static long parse(String text) {
        try {
            if (text.startsWith("0x") || text.startsWith("0X")) {
                return Long.parseUnsignedLong(text.substring(2), HEXADECIMAL);
            }
            return text.matches("[0-9]+")
                    ? Long.parseUnsignedLong(text)
                    : ByteSize.parse(text).bytes();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("\"" + text + "\" is no number; one looks like 20, 0x14 or 4K", e);
        }
    }

    /** A number that fits a register. */
    static long parse(String text, int widthBits) {
        long value = parse(text);
        if ((value & ~ones(widthBits)) != 0) {
            throw new IllegalArgumentException(text + " does not fit " + widthBits + " bits");
        }
        return value;
    }

    static long ones(int widthBits) {
        return -1L >>> (Long.SIZE - widthBits);
    }
}
