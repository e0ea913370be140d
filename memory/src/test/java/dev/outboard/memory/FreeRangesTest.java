package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FreeRangesTest {
    private static final long BASE = 0x1_0000_1000L;
    private static final long SIZE = 64 << 10;
    private static final long UNIT = 4096;

    private final FreeRanges free = new FreeRanges(BASE, SIZE, UNIT);

    private long take(long bytes) {
        return free.take(bytes, DmaLimits.NONE).orElseThrow();
    }

    private boolean hasAll() {
        OptionalLong all = free.take(SIZE, DmaLimits.NONE);
        all.ifPresent(offset -> free.give(offset, SIZE));
        return all.equals(OptionalLong.of(0));
    }

    @Test
    void piecesTakeWholeUnitsOneAfterTheOther() {
        assertThat(take(1)).isZero();
        assertThat(take(UNIT + 1)).isEqualTo(UNIT);
        assertThat(take(UNIT)).isEqualTo(3 * UNIT);
        assertThat(free.take(SIZE - 4 * UNIT + 1, DmaLimits.NONE)).isEmpty();
        assertThat(take(SIZE - 4 * UNIT)).isEqualTo(4 * UNIT);
        assertThat(free.take(1, DmaLimits.NONE)).isEmpty();
    }

    @Test
    void limitsAreThoseOfDeviceAddresses() {
        DmaLimits aligned = DmaLimits.NONE.alignedTo(16 << 10);
        assertThat(free.take(100, aligned)).hasValue(0x3000);
        assertThat(free.take(100, aligned)).hasValue(0x7000);
        assertThat(take(3 * UNIT)).as("what was left out is still there").isZero();
    }

    @Test
    void neighboursBecomeOneAgainInWhateverOrderTheyComeBack() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            List<long[]> taken = new ArrayList<>();
            for (OptionalLong at = OptionalLong.of(0); at.isPresent(); ) {
                long bytes = 1L + random.nextInt(3 * (int) UNIT);
                at = free.take(bytes, DmaLimits.NONE.alignedTo(1L << random.nextInt(14)));
                at.ifPresent(offset -> taken.add(new long[] {offset, bytes}));
            }
            Collections.shuffle(taken, random);
            taken.forEach(piece -> free.give(piece[0], piece[1]));
            assertThat(hasAll()).as("seed %d, round %d", seed, round).isTrue();
        }
    }

    @Test
    void whatIsLeftOfTheLastUnitIsNotUsed() {
        FreeRanges odd = new FreeRanges(BASE, UNIT + 100, UNIT);
        assertThat(odd.take(UNIT + 1, DmaLimits.NONE)).isEmpty();
        assertThat(odd.take(UNIT, DmaLimits.NONE)).hasValue(0);
        assertThat(odd.take(1, DmaLimits.NONE)).isEmpty();
        assertThat(new FreeRanges(BASE, 100, UNIT).take(1, DmaLimits.NONE)).isEmpty();
    }
}
