package dev.outboard.emulation.serial;

import static dev.outboard.specs.serial.Uart16550.LCR_PARITY;
import static dev.outboard.specs.serial.Uart16550.LCR_WORD_LENGTH;
import static dev.outboard.specs.serial.Uart16550.LSR_BREAK;
import static dev.outboard.specs.serial.Uart16550.LSR_FRAMING;
import static dev.outboard.specs.serial.Uart16550.LSR_PARITY;

/**
 * A character on the line: a start bit, data, parity, and ones from then on. A receiver with other settings than the
 * sender's looks at the wrong places, and sees what a real one would: wrong characters, parity and framing errors.
 *
 * @param bits the line's levels, first bit lowest
 * @param divisor how long a bit lasts
 */
record Frame(long bits, int divisor) {
    private static final int SHORTEST_WORD = 5;
    private static final int PARITY_ON = 1;
    private static final int ODD = 1;
    private static final int EVEN = 3;
    private static final int MARK = 5;

    /** The line held low for longer than any character. */
    static Frame ofBreak(int divisor) {
        return new Frame(0, divisor);
    }

    static Frame of(int character, int lineControl, int divisor) {
        int word = wordBits(lineControl);
        int data = character & ((1 << word) - 1);
        long bits = -1L << (1 + word + parityBits(lineControl)) | (long) data << 1;
        if (parityBits(lineControl) > 0) {
            bits |= (long) parity(data, lineControl) << (1 + word);
        }
        return new Frame(bits, divisor);
    }

    static int wordBits(int lineControl) {
        return SHORTEST_WORD + (int) LCR_WORD_LENGTH.get(lineControl);
    }

    static int parityBits(int lineControl) {
        return (int) LCR_PARITY.get(lineControl) & PARITY_ON;
    }

    private static int parity(int data, int lineControl) {
        int odd = Integer.bitCount(data) & 1;
        return switch ((int) LCR_PARITY.get(lineControl)) {
            case ODD -> odd ^ 1;
            case EVEN -> odd;
            case MARK -> 1;
            default -> 0;
        };
    }

    /** What a receiver makes of it: the character, and above it the errors, as they stand in LSR. */
    int receivedWith(int lineControl, int receiverDivisor) {
        int word = wordBits(lineControl);
        int stop = 1 + word + parityBits(lineControl);
        int data = 0;
        for (int i = 0; i < word; i++) {
            data |= level(1 + i, receiverDivisor) << i;
        }
        long errors = 0;
        int parity = level(1 + word, receiverDivisor);
        if (stop > 1 + word && parity != parity(data, lineControl)) {
            errors |= LSR_PARITY.mask();
        }
        if (level(stop, receiverDivisor) == 0) {
            errors |= LSR_FRAMING.mask();
            if (data == 0 && parity == 0) {
                errors |= LSR_BREAK.mask();
            }
        }
        return data | (int) errors << Byte.SIZE;
    }

    /** The level in the middle of the receiver's bit. */
    private int level(int bit, int receiverDivisor) {
        long middle = (2L * bit + 1) * receiverDivisor / (2L * divisor);
        return (int) (bits >> Math.min(middle, Long.SIZE - 1)) & 1;
    }
}
