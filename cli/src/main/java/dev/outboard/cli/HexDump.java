package dev.outboard.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.util.Arrays;

/**
 * Prints bytes as a person reads them: offset, sixteen bytes or the little-endian words that they are, text. Lines that
 * repeat become one star.
 */
public final class HexDump extends OutputStream {
    private static final int BYTES_A_LINE = 16;

    private final PrintStream out;
    private final int widthBytes;
    private final byte[] line = new byte[BYTES_A_LINE];
    private byte[] previous = new byte[0];
    private boolean starred;
    private int filled;
    private long offset;

    /**
     * A dump.
     *
     * @param out where to
     * @param offset what the first byte's offset is said to be
     */
    public HexDump(PrintStream out, long offset) {
        this(out, offset, 1);
    }

    /**
     * A dump of words.
     *
     * @param out where to
     * @param offset what the first byte's offset is said to be
     * @param widthBytes how many bytes make a word: 1, 2, 4 or 8
     */
    public HexDump(PrintStream out, long offset, int widthBytes) {
        this.out = out;
        this.offset = offset;
        this.widthBytes = widthBytes;
    }

    @Override
    public void write(int value) {
        line[filled++] = (byte) value;
        if (filled == BYTES_A_LINE) {
            printLine();
        }
    }

    /** Prints the last line, and the offset after it. */
    @Override
    public void flush() {
        if (filled > 0) {
            printLine();
        }
        out.printf("%08x%n", offset);
        out.flush();
    }

    private void printLine() {
        byte[] bytes = Arrays.copyOf(line, filled);
        if (Arrays.equals(bytes, previous)) {
            if (!starred) {
                out.println("*");
            }
            starred = true;
        } else {
            starred = false;
            out.println(format(bytes));
        }
        previous = bytes;
        offset += filled;
        filled = 0;
    }

    private String format(byte[] bytes) {
        StringBuilder text = new StringBuilder(String.format("%08x ", offset));
        for (int word = 0; word < BYTES_A_LINE; word += widthBytes) {
            text.append(word == BYTES_A_LINE / 2 ? "  " : " ");
            // The last byte of a little-endian word is its highest.
            for (int i = word + widthBytes - 1; i >= word; i--) {
                text.append(i < bytes.length ? String.format("%02x", bytes[i]) : "  ");
            }
        }
        text.append("  |");
        for (byte value : bytes) {
            text.append(value >= ' ' && value < 0x7f ? (char) value : '.');
        }
        return text.append('|').toString();
    }
}
