package dev.outboard.memory.svd;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The numbers of the format: {@code scaledNonNegativeInteger} and values with bits that do not matter. */
final class SvdNumbers {
    private static final int MAXIMUM_FREE_BITS = 8;
    private static final int HEXADECIMAL = 16;
    private static final int UNIT_SHIFT = 10;

    private final String file;

    SvdNumbers(String file) {
        this.file = file;
    }

    /** A number: decimal, hexadecimal after 0x, binary after # or 0b, with a unit perhaps. */
    long number(SvdElement element) throws SvdException {
        String text = element.text().toLowerCase(Locale.ROOT);
        if (text.startsWith("+")) {
            text = text.substring(1);
        }
        int unit = text.isEmpty() ? -1 : "kmgt".indexOf(text.charAt(text.length() - 1));
        String digits = unit < 0 ? text : text.substring(0, text.length() - 1);
        try {
            long number;
            if (digits.startsWith("0x")) {
                number = Long.parseUnsignedLong(digits.substring(2), HEXADECIMAL);
            } else if (digits.startsWith("#") || digits.startsWith("0b")) {
                number = Long.parseUnsignedLong(digits.substring(digits.startsWith("#") ? 1 : 2), 2);
            } else {
                number = Long.parseUnsignedLong(digits);
            }
            return unit < 0 ? number : Math.multiplyExact(number, 1L << ((unit + 1) * UNIT_SHIFT));
        } catch (ArithmeticException | NumberFormatException e) {
            throw new SvdException(
                    file, element.line(), element.name() + " is \"" + element.text() + "\", which is no number", e);
        }
    }

    /** A number that is at least one bound and at most another. */
    int number(SvdElement element, int least, int most) throws SvdException {
        long number = number(element);
        if (number < least || number > most) {
            throw new SvdException(
                    file,
                    element.line(),
                    element.name() + " is " + element.text() + ", not from " + least + " to " + most);
        }
        return (int) number;
    }

    /** The values that a pattern means: 1x0 is two. */
    List<Long> values(SvdElement element) throws SvdException {
        String text = element.text().toLowerCase(Locale.ROOT);
        boolean pattern = text.startsWith("#") || text.startsWith("0b");
        if (!pattern || text.indexOf('x') < 0) {
            return List.of(number(element));
        }
        String bits = text.substring(text.startsWith("#") ? 1 : 2);
        if (bits.length() > Long.SIZE || !bits.matches("[01x]+")) {
            throw new SvdException(file, element.line(), "\"" + element.text() + "\" is no value");
        }
        if (bits.chars().filter(bit -> bit == 'x').count() > MAXIMUM_FREE_BITS) {
            // A name for nearly every value tells nobody anything.
            return List.of();
        }
        List<Long> values = new ArrayList<>(List.of(0L));
        for (int i = 0; i < bits.length(); i++) {
            char bit = bits.charAt(i);
            List<Long> longer = new ArrayList<>();
            for (long value : values) {
                if (bit != '1') {
                    longer.add(value << 1);
                }
                if (bit != '0') {
                    longer.add((value << 1) | 1);
                }
            }
            values = longer;
        }
        return values;
    }
}
