package dev.outboard.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Finds bytes in memory. Two bytes of what is sought are compared at eight places at a time, with one branch for a block
 * of 64; what is left is compared as a whole. When too much is left, as in memory full of one byte, Knuth, Morris and Pratt's algorithm does the rest in linear time.
 */
final class ByteSearch {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101_0101_0101_0101L;
    private static final long HIGHS = 0x8080_8080_8080_8080L;
    private static final int BLOCK_BYTES = 64;
    private static final int RUN_BYTES = 1 << 20;
    /** How many bytes may be compared in vain for each that was passed, before the algorithm changes. */
    private static final int PATIENCE = 4;

    private static final long NOT_FOUND = -1;

    private final MemorySegment text;
    private final long from;
    private final long to;
    private final byte[] sought;
    private final MemorySegment soughtSegment;
    /** Where the second byte that is compared first is: the last one that is not the first. */
    private final int second;

    private final long firstBytes;
    private final long secondBytes;
    private long comparedInVain;

    private ByteSearch(MemorySegment text, long from, long to, byte[] sought) {
        this.text = text;
        this.from = from;
        this.to = to;
        this.sought = sought;
        this.soughtSegment = MemorySegment.ofArray(sought);
        int other = sought.length - 1;
        while (other > 0 && sought[other] == sought[0]) {
            other--;
        }
        second = other == 0 ? sought.length - 1 : other;
        firstBytes = ONES * (sought[0] & 0xff);
        secondBytes = ONES * (sought[second] & 0xff);
    }

    /** The first place from {@code from} where the bytes are, all before {@code to}; −1 if there is none. */
    static long first(MemorySegment text, long from, long to, byte[] sought) {
        if (sought.length > to - from) {
            return NOT_FOUND;
        }
        return sought.length == 0 ? from : new ByteSearch(text, from, to, sought).forward();
    }

    /** The last place from {@code from} where the bytes are, all before {@code to}; −1 if there is none. */
    static long last(MemorySegment text, long from, long to, byte[] sought) {
        if (sought.length > to - from) {
            return NOT_FOUND;
        }
        return sought.length == 0 ? to : new ByteSearch(text, from, to, sought).backward();
    }

    private long forward() {
        long last = to - sought.length;
        long at = from;
        while (last - at >= BLOCK_BYTES - 1) {
            int run = (int) Math.min(RUN_BYTES, last - at + 1) & -BLOCK_BYTES;
            int passed = pass(text, at, run, second, firstBytes, secondBytes);
            at += passed;
            if (passed < run) {
                for (int i = 0; i < BLOCK_BYTES; i += Long.BYTES) {
                    for (long left = candidates(at + i); left != 0; left &= left - 1) {
                        long place = at + i + (Long.numberOfTrailingZeros(left) >>> 3);
                        if (isAt(place)) {
                            return place;
                        }
                    }
                }
                if (comparedInVain > PATIENCE * (at + BLOCK_BYTES - from)) {
                    return linear(at + BLOCK_BYTES, to, true);
                }
                at += BLOCK_BYTES;
            }
        }
        for (; at <= last; at++) {
            if (isAt(at)) {
                return at;
            }
            if (comparedInVain > PATIENCE * (at + BLOCK_BYTES - from)) {
                return linear(at + 1, to, true);
            }
        }
        return NOT_FOUND;
    }

    private long backward() {
        long last = to - sought.length;
        long at = last;
        while (at - from >= BLOCK_BYTES - 1) {
            int run = (int) Math.min(RUN_BYTES, at - from + 1) & -BLOCK_BYTES;
            int passed = passBack(text, at + 1, run, second, firstBytes, secondBytes);
            at -= passed;
            if (passed < run) {
                long start = at - BLOCK_BYTES + 1;
                for (int i = BLOCK_BYTES - Long.BYTES; i >= 0; i -= Long.BYTES) {
                    long left = candidates(start + i);
                    while (left != 0) {
                        int bit = Long.SIZE - 1 - Long.numberOfLeadingZeros(left);
                        if (isAt(start + i + (bit >>> 3))) {
                            return start + i + (bit >>> 3);
                        }
                        left ^= 1L << bit;
                    }
                }
                if (comparedInVain > PATIENCE * (last - start + BLOCK_BYTES)) {
                    return linear(from, start - 1 + sought.length, false);
                }
                at -= BLOCK_BYTES;
            }
        }
        for (; at >= from; at--) {
            if (isAt(at)) {
                return at;
            }
            if (comparedInVain > PATIENCE * (last - at + BLOCK_BYTES)) {
                return linear(from, at - 1 + sought.length, false);
            }
        }
        return NOT_FOUND;
    }

    /** Passes blocks in which nothing can be; a counted loop, out of which C2 moves the checks of bounds. */
    private static int pass(MemorySegment text, long at, int bytes, long second, long firstBytes, long secondBytes) {
        for (int i = 0; i < bytes; i += BLOCK_BYTES) {
            if ((block(text, at + i, second, firstBytes, secondBytes) & HIGHS) != 0) {
                return i;
            }
        }
        return bytes;
    }

    private static int passBack(
            MemorySegment text, long end, int bytes, long second, long firstBytes, long secondBytes) {
        for (int i = 0; i < bytes; i += BLOCK_BYTES) {
            if ((block(text, end - BLOCK_BYTES - i, second, firstBytes, secondBytes) & HIGHS) != 0) {
                return i;
            }
        }
        return bytes;
    }

    private static long block(MemorySegment text, long at, long second, long firstBytes, long secondBytes) {
        return (zeros(text, at, second, firstBytes, secondBytes)
                        | zeros(text, at + 8, second, firstBytes, secondBytes)
                        | zeros(text, at + 16, second, firstBytes, secondBytes)
                        | zeros(text, at + 24, second, firstBytes, secondBytes))
                | (zeros(text, at + 32, second, firstBytes, secondBytes)
                        | zeros(text, at + 40, second, firstBytes, secondBytes)
                        | zeros(text, at + 48, second, firstBytes, secondBytes)
                        | zeros(text, at + 56, second, firstBytes, secondBytes));
    }

    private static long zeros(MemorySegment text, long at, long second, long firstBytes, long secondBytes) {
        long differences = (text.get(LONG, at) ^ firstBytes) | (text.get(LONG, at + second) ^ secondBytes);
        return (differences - ONES) & ~differences;
    }

    /** The high bit of each byte at which both bytes are right, and perhaps of bytes above one of those. */
    private long candidates(long at) {
        return zeros(text, at, second, firstBytes, secondBytes) & HIGHS;
    }

    private boolean isAt(long place) {
        if (text.get(ValueLayout.JAVA_BYTE, place) != sought[0]) {
            return false;
        }
        long same = MemorySegment.mismatch(text, place, place + sought.length, soughtSegment, 0, sought.length);
        comparedInVain += same;
        return same == -1;
    }

    /** Knuth, Morris and Pratt, over what is left; to the back, all is read from the other side. */
    private long linear(long start, long end, boolean forwards) {
        int length = sought.length;
        int[] restart = new int[length];
        for (int i = 1, same = 0; i < length; i++) {
            while (same > 0 && soughtAt(i, forwards) != soughtAt(same, forwards)) {
                same = restart[same - 1];
            }
            if (soughtAt(i, forwards) == soughtAt(same, forwards)) {
                same++;
            }
            restart[i] = same;
        }
        int same = 0;
        for (long i = 0; i < end - start; i++) {
            byte here = text.get(ValueLayout.JAVA_BYTE, forwards ? start + i : end - 1 - i);
            while (same > 0 && here != soughtAt(same, forwards)) {
                same = restart[same - 1];
            }
            if (here == soughtAt(same, forwards)) {
                same++;
            }
            if (same == length) {
                return forwards ? start + i - length + 1 : end - 1 - i;
            }
        }
        return NOT_FOUND;
    }

    private byte soughtAt(int i, boolean forwards) {
        return sought[forwards ? i : sought.length - 1 - i];
    }
}
