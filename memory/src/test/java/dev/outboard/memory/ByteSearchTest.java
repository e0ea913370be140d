package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ByteSearchTest {
    private static final ByteSearch SEARCH = new ByteSearch();

    @Test
    void findsWhatAPlainSearchFinds() {
        long seed = Long.getLong("outboard.seed", System.nanoTime());
        System.out.println("ByteSearchTest: seed " + seed + " (-Doutboard.seed=" + seed + " repeats it)");
        Random random = new Random(seed);
        for (int round = 0; round < 3000; round++) {
            byte[] text = bytes(random, random.nextInt(round % 8 == 0 ? 300_000 : 6000), 1 + random.nextInt(4));
            byte[] sought = random.nextBoolean() && text.length > 0
                    ? part(random, text)
                    : bytes(random, random.nextInt(12), 1 + random.nextInt(5));
            int from = random.nextInt(text.length + 1);
            int to = from + random.nextInt(text.length - from + 1);
            if (random.nextBoolean()) {
                from = 0;
                to = text.length;
            }
            MemorySegment segment = MemorySegment.ofArray(text);
            assertThat(SEARCH.first(segment, from, to, sought)).isEqualTo(plain(text, from, to, sought, 1));
            assertThat(SEARCH.last(segment, from, to, sought)).isEqualTo(plain(text, from, to, sought, -1));
        }
    }

    @Test
    void doesNotReadOutsideOfTheRange() {
        // Slices refuse what is outside of them; so they stand for the ends of a mapping.
        try (Arena arena = Arena.ofConfined()) {
            for (int length = 0; length < 2100; length += 7) {
                MemorySegment text = arena.allocate(length + 1).asSlice(0, length);
                byte[] sought = {1, 2, 3};
                assertThat(SEARCH.first(text, 0, length, sought)).isEqualTo(-1);
                assertThat(SEARCH.last(text, 0, length, sought)).isEqualTo(-1);
            }
        }
    }

    @Test
    void memoryFullOfAlmostMatchesTakesLinearTime() {
        // 4 MiB × 1 MiB comparisons would take hours: that this ends shows it.
        byte[] text = new byte[4 << 20];
        byte[] sought = new byte[1 << 20];
        sought[sought.length / 2] = 1;
        MemorySegment segment = MemorySegment.ofArray(text);
        assertThat(SEARCH.first(segment, 0, text.length, sought)).isEqualTo(-1);
        assertThat(SEARCH.last(segment, 0, text.length, sought)).isEqualTo(-1);
        text[3 << 20] = 1;
        long place = (3L << 20) - sought.length / 2;
        assertThat(SEARCH.first(segment, 0, text.length, sought)).isEqualTo(place);
        assertThat(SEARCH.last(segment, 0, text.length, sought)).isEqualTo(place);
        Arrays.fill(sought, (byte) 0);
        sought[sought.length - 1] = 1;
        sought[0] = 1;
        assertThat(SEARCH.first(segment, 0, text.length, sought)).isEqualTo(-1);
    }

    private static byte[] bytes(Random random, int length, int kinds) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (random.nextInt(kinds) - 1);
        }
        return bytes;
    }

    private static byte[] part(Random random, byte[] text) {
        int from = random.nextInt(text.length);
        return Arrays.copyOfRange(text, from, from + 1 + random.nextInt(Math.min(300, text.length - from)));
    }

    private static long plain(byte[] text, int from, int to, byte[] sought, int direction) {
        int last = to - sought.length;
        for (int at = direction > 0 ? from : last; from <= at && at <= last; at += direction) {
            if (Arrays.equals(text, at, at + sought.length, sought, 0, sought.length)) {
                return at;
            }
        }
        return -1;
    }
}
