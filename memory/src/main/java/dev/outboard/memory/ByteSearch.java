package dev.outboard.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Finds bytes in memory, as fast as one processor reads it. Four of the bytes that are sought, the probes, are compared
 * at each place of a block, in a loop that C2 makes vector instructions of; only a block where all four are right
 * somewhere is looked at closely. A place that has the probes and not the rest gives the next probe: the byte that
 * differs. When too much is compared in vain all the same, Knuth, Morris and Pratt's algorithm does the rest in linear
 * time.
 *
 * <p>For one thread at a time, and used again and again, so that a search allocates nothing.
 */
final class ByteSearch {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** See {@link #mayBeIn}. */
    private static final ValueLayout.OfLong SWAPPED = LONG.withOrder(ByteOrder.BIG_ENDIAN);

    private static final long ONES = 0x0101_0101_0101_0101L;
    private static final long HIGHS = 0x8080_8080_8080_8080L;
    /** Enough that the start of the vector loop costs little, and so few that a look at one closely does too. */
    private static final int BLOCK_BYTES = 4096;
    /** As many blocks as a long has bits. */
    private static final int MOST_BLOCKS_BYTES = Long.SIZE * BLOCK_BYTES;
    /** What is this near, as the end of a line, is found sooner without that loop. */
    private static final int NEAR_BYTES = 256;

    private static final int PROBES = 4;
    /** How many bytes may be compared in vain for each that was passed, before the algorithm changes. */
    private static final int PATIENCE = 4;

    private static final long NOT_FOUND = -1;
    private static final long NOT_IN_BLOCK = -2;

    /** Places in what is sought, and the byte of each eight times. */
    private final int[] probes = new int[PROBES];

    private final long[] patterns = new long[PROBES];
    private int oldestProbe;

    private MemorySegment text = MemorySegment.NULL;
    private byte[] sought = {};
    private long from;
    /** How many places there are at which the bytes can begin. */
    private long places;

    private boolean forwards;
    private long comparedInVain;

    /** The first place from {@code from} where the bytes are, all before {@code to}; −1 if there is none. */
    long first(MemorySegment text, long from, long to, byte[] sought) {
        begin(text, from, to, sought, true);
        return sought.length == 0 && places > 0 ? from : search();
    }

    /** The last place from {@code from} where the bytes are, all before {@code to}; −1 if there is none. */
    long last(MemorySegment text, long from, long to, byte[] sought) {
        begin(text, from, to, sought, false);
        return sought.length == 0 && places > 0 ? to : search();
    }

    private void begin(MemorySegment text, long from, long to, byte[] sought, boolean forwards) {
        this.text = text;
        this.sought = sought;
        this.from = from;
        this.places = to - from - sought.length + 1;
        this.forwards = forwards;
        comparedInVain = 0;
        for (int i = 0; i < PROBES && sought.length > 0; i++) {
            probe((int) ((sought.length - 1L) * i / (PROBES - 1)));
        }
    }

    private void probe(int offset) {
        probes[oldestProbe] = offset;
        patterns[oldestProbe] = ONES * (sought[offset] & 0xff);
        oldestProbe = (oldestProbe + 1) % PROBES;
    }

    private long search() {
        long passed = Math.min(NEAR_BYTES, places);
        long found = places <= 0 ? NOT_FOUND : searchBlock(start(0, passed), (int) passed);
        int most = BLOCK_BYTES;
        while (found == NOT_IN_BLOCK && places - passed >= BLOCK_BYTES) {
            int size = (int) Math.min(most, places - passed) & -BLOCK_BYTES;
            found = searchBlocks(start(passed, size), size);
            passed += size;
            most = forwards ? BLOCK_BYTES : Math.min(2 * most, MOST_BLOCKS_BYTES);
        }
        if (found == NOT_IN_BLOCK) {
            found = searchBlock(start(passed, places - passed), (int) (places - passed));
        }
        return found == NOT_IN_BLOCK ? NOT_FOUND : found;
    }

    /** Where the next so many places begin. */
    private long start(long passed, long size) {
        return forwards ? from + passed : from + places - passed - size;
    }

    /** To the back, several blocks are read upwards before one is looked at: processors read ahead in that direction. */
    private long searchBlocks(long start, int size) {
        long possible = 0;
        for (int i = 0; i < size; i += BLOCK_BYTES) {
            if (mayBeIn(start + i)) {
                possible |= 1L << (i / BLOCK_BYTES);
            }
        }
        while (possible != 0) {
            int last = Long.SIZE - 1 - Long.numberOfLeadingZeros(possible);
            int offset = last * BLOCK_BYTES;
            long found = searchBlock(start + offset, BLOCK_BYTES);
            if (found != NOT_IN_BLOCK) {
                return found;
            }
            possible ^= 1L << last;
        }
        return NOT_IN_BLOCK;
    }

    private boolean mayBeIn(long start) {
        if (sought.length == 1) {
            return mayBeIn(text, start, patterns[0]);
        }
        return mayBeIn(
                text,
                start + probes[0],
                patterns[0],
                start + probes[1],
                patterns[1],
                start + probes[2],
                patterns[2],
                start + probes[3],
                patterns[3]);
    }

    /**
     * Whether all probes are right at a place of the block. C2 makes vector instructions only of a counted loop without
     * branches over locals. The order of the bytes does not matter, and that they are swapped keeps each load an
     * instruction of its own: as part of a VPTERNLOG, a load that faults ends the JVM (JDK 25), which takes that
     * instruction for one byte shorter than it is and goes on inside of it.
     */
    private static boolean mayBeIn(
            MemorySegment text,
            long at0,
            long pattern0,
            long at1,
            long pattern1,
            long at2,
            long pattern2,
            long at3,
            long pattern3) {
        long all = 0;
        for (int i = 0; i < BLOCK_BYTES; i += Long.BYTES) {
            all |= zeros((text.get(SWAPPED, at0 + i) ^ pattern0)
                    | (text.get(SWAPPED, at1 + i) ^ pattern1)
                    | (text.get(SWAPPED, at2 + i) ^ pattern2)
                    | (text.get(SWAPPED, at3 + i) ^ pattern3));
        }
        return (all & HIGHS) != 0;
    }

    /** The same with one probe, for which memory is the limit. */
    private static boolean mayBeIn(MemorySegment text, long at, long pattern) {
        long all = 0;
        for (int i = 0; i < BLOCK_BYTES; i += Long.BYTES) {
            all |= zeros(text.get(SWAPPED, at + i) ^ pattern);
        }
        return (all & HIGHS) != 0;
    }

    /** The high bit of each byte that is zero, perhaps of bytes above one of those, and other bits. */
    private static long zeros(long bytes) {
        return (bytes - ONES) & ~bytes;
    }

    private long searchBlock(long start, int size) {
        if (size < Long.BYTES) {
            for (int i = 0; i < size; i++) {
                long place = forwards ? start + i : start + size - 1 - i;
                if (isAt(place)) {
                    return place;
                }
            }
            return NOT_IN_BLOCK;
        }
        for (int i = 0; i < size; i += Long.BYTES) {
            // The last word overlaps the one before it.
            int offset = Math.min(i, size - Long.BYTES);
            long word = forwards ? start + offset : start + size - Long.BYTES - offset;
            for (long left = candidates(word); left != 0; ) {
                int bit = forwards ? Long.numberOfTrailingZeros(left) : Long.SIZE - 1 - Long.numberOfLeadingZeros(left);
                long place = word + bit / Byte.SIZE;
                if (isAt(place)) {
                    return place;
                }
                long passed = forwards ? place - from : from + places - 1 - place;
                if (comparedInVain > PATIENCE * (passed + BLOCK_BYTES)) {
                    return linear(passed + 1);
                }
                left ^= 1L << bit;
            }
        }
        return NOT_IN_BLOCK;
    }

    private long candidates(long word) {
        long differences = 0;
        for (int i = 0; i < PROBES; i++) {
            differences |= text.get(LONG, word + probes[i]) ^ patterns[i];
        }
        return zeros(differences) & HIGHS;
    }

    private boolean isAt(long place) {
        int same = 0;
        while (same < sought.length && text.get(ValueLayout.JAVA_BYTE, place + same) == sought[same]) {
            same++;
        }
        if (same == sought.length) {
            return true;
        }
        comparedInVain += same;
        probe(same);
        return false;
    }

    /** Knuth, Morris and Pratt, behind the places that were passed; to the back, all is read from the other side. */
    private long linear(long passed) {
        int length = sought.length;
        int[] restart = new int[length];
        for (int i = 1, same = 0; i < length; i++) {
            while (same > 0 && soughtAt(i) != soughtAt(same)) {
                same = restart[same - 1];
            }
            if (soughtAt(i) == soughtAt(same)) {
                same++;
            }
            restart[i] = same;
        }
        long start = forwards ? from : from + places - 1 + length - 1;
        int same = 0;
        for (long i = passed; i < places + length - 1; i++) {
            byte here = text.get(ValueLayout.JAVA_BYTE, forwards ? start + i : start - i);
            while (same > 0 && here != soughtAt(same)) {
                same = restart[same - 1];
            }
            if (here == soughtAt(same)) {
                same++;
            }
            if (same == length) {
                return forwards ? start + i - length + 1 : start - i;
            }
        }
        return NOT_FOUND;
    }

    private byte soughtAt(int i) {
        return sought[forwards ? i : sought.length - 1 - i];
    }
}
