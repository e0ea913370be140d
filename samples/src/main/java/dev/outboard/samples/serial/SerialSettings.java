package dev.outboard.samples.serial;

import dev.outboard.specs.serial.Uart16550;

/**
 * How fast a port is, and what its characters look like.
 *
 * @param baud bits a second: 115200 divided by a whole number
 * @param dataBits 5 to 8
 * @param parity which parity bit follows the data
 * @param stopBits 1 or 2
 */
public record SerialSettings(int baud, int dataBits, Parity parity, int stopBits) {
    /** 115200 baud, 8 data bits, no parity, 1 stop bit. */
    public static final SerialSettings DEFAULT = new SerialSettings(Uart16550.BASE_BAUD, 8, Parity.NONE, 1);

    private static final int LARGEST_DIVISOR = 0xffff;

    /** A parity bit, by the names of the register's values. */
    public enum Parity {
        /** No parity bit. */
        NONE,
        /** Odd. */
        ODD,
        /** Even. */
        EVEN,
        /** Always one. */
        MARK,
        /** Always zero. */
        SPACE
    }

    /** Checks that a port can do that. */
    public SerialSettings {
        if (baud < 1 || Uart16550.BASE_BAUD % baud != 0 || Uart16550.BASE_BAUD / baud > LARGEST_DIVISOR) {
            throw new IllegalArgumentException(
                    baud + " baud: the rate is " + Uart16550.BASE_BAUD + " divided by 1 to " + LARGEST_DIVISOR);
        }
        if (dataBits < 5 || dataBits > 8 || stopBits < 1 || stopBits > 2) {
            throw new IllegalArgumentException(
                    dataBits + " data and " + stopBits + " stop bits: there are 5 to 8 data and 1 or 2 stop bits");
        }
    }

    int divisor() {
        return Uart16550.BASE_BAUD / baud;
    }

    /** The value of LCR. */
    long lineControl() {
        return Uart16550.LCR_WORD_LENGTH.of(Uart16550.LCR_WORD_LENGTH.valueOf(Integer.toString(dataBits)))
                | Uart16550.LCR_STOP_BITS.of(stopBits - 1L)
                | Uart16550.LCR_PARITY.of(Uart16550.LCR_PARITY.valueOf(parity.name()));
    }
}
