package dev.outboard.driver;

import java.util.Locale;

/**
 * A number of bytes as users write it: {@code 512}, {@code 0x200}, {@code 4K}, {@code 1M}, {@code 2G}, {@code 1T}; the
 * units are powers of 1024.
 *
 * @param bytes the number
 */
public record ByteSize(long bytes) {
    private static final String UNITS = "KMGT";
    private static final int UNIT_SHIFT = 10;
    private static final int HEXADECIMAL = 16;

    /**
     * Reads a size.
     *
     * @param text what the user wrote
     * @return the size
     * @throws IllegalArgumentException if it is none, or too large
     */
    public static ByteSize parse(String text) {
        String upper = text.toUpperCase(Locale.ROOT).replaceFirst("I?B$", "");
        try {
            if (upper.startsWith("0X") && !upper.startsWith("0X-")) {
                return new ByteSize(Long.parseLong(upper.substring(2), HEXADECIMAL));
            }
            int unit = upper.isEmpty() ? -1 : UNITS.indexOf(upper.charAt(upper.length() - 1));
            long number = Long.parseLong(unit < 0 ? upper : upper.substring(0, upper.length() - 1));
            long factor = 1L << ((unit + 1) * UNIT_SHIFT);
            if (number < 0) {
                throw new NumberFormatException("negative");
            }
            return new ByteSize(Math.multiplyExact(number, factor));
        } catch (ArithmeticException | NumberFormatException e) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" is no size; one looks like 512, 0x200, 4K, 1M or 2G", e);
        }
    }

    /**
     * The size as a whole number of the largest unit.
     *
     * @return for example {@code "4K"}; {@link #parse} reads it
     */
    @Override
    public String toString() {
        int unit = bytes == 0 ? 0 : Math.min(UNITS.length(), Long.numberOfTrailingZeros(bytes) / UNIT_SHIFT);
        return (bytes >> (unit * UNIT_SHIFT)) + (unit == 0 ? "" : UNITS.substring(unit - 1, unit));
    }
}
