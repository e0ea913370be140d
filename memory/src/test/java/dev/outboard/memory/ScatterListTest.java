package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ScatterListTest {
    private static DmaMemory at(long deviceAddress, int sizeBytes) {
        return new DmaMemory(MemorySegment.ofArray(new byte[sizeBytes]), deviceAddress, () -> {});
    }

    @Test
    void piecesAreSplitAndJoinedAsTheLimitsAllow() {
        assertThat(new ScatterList(8, DmaLimits.NONE).add(at(0x1000, 100)).add(at(0x2000, 50)))
                .hasToString("[0x1000+100, 0x2000+50]");
        assertThat(new ScatterList(8, DmaLimits.NONE).add(at(0x1000, 100)).add(at(0x1064, 50)))
                .hasToString("[0x1000+150]");
        assertThat(new ScatterList(8, DmaLimits.NONE.elementsUpTo(64))
                        .add(at(0x1000, 100))
                        .add(at(0x1064, 50)))
                .hasToString("[0x1000+64, 0x1040+64, 0x1080+22]");
        assertThat(new ScatterList(8, DmaLimits.NONE.notCrossing(4096)).add(at(0x1fff, 4098)))
                .hasToString("[0x1fff+1, 0x2000+4096, 0x3000+1]");
        // Elements end where an aligned one can start.
        assertThat(new ScatterList(8, DmaLimits.NONE.alignedTo(16).elementsUpTo(50)).add(at(0x1000, 100)))
                .hasToString("[0x1000+48, 0x1030+48, 0x1060+4]");
        assertThat(new ScatterList(8, DmaLimits.NONE).add(at(0x1000, 100), 40, 20))
                .hasToString("[0x1028+20]");
    }

    @Test
    void aPartOfSeveralPieces() {
        List<DmaMemory> pieces = List.of(at(0x1000, 10), at(0x5000, 10), at(0x500a, 10), at(0x9000, 10));
        assertThat(new ScatterList(4, DmaLimits.NONE).add(pieces, 0, 40))
                .hasToString("[0x1000+10, 0x5000+20, 0x9000+10]");
        assertThat(new ScatterList(4, DmaLimits.NONE).add(pieces, 9, 2)).hasToString("[0x1009+1, 0x5000+1]");
        assertThat(new ScatterList(4, DmaLimits.NONE).add(pieces, 30, 10)).hasToString("[0x9000+10]");
        assertThat(new ScatterList(4, DmaLimits.NONE).add(pieces, 25, 5)).hasToString("[0x500f+5]");
        ScatterList list = new ScatterList(2, DmaLimits.NONE);
        for (long[] wrong :
                new long[][] {{-1, 1}, {0, 41}, {40, 1}, {1, Long.MAX_VALUE}, {Long.MAX_VALUE, 1}, {5, -1}}) {
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> list.add(pieces, wrong[0], wrong[1]));
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> list.add(pieces.getFirst(), wrong[0], wrong[1]));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> list.add(pieces, 5, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> list.add(pieces.getFirst(), 10, 0));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> list.add(List.of(), 0, 1));
        assertThat(list.count()).isZero();
    }

    @Test
    void whatDoesNotFitLeavesTheListAsItWas() {
        ScatterList list = new ScatterList(3, DmaLimits.NONE.elementsUpTo(100).addressBits(32));
        list.add(at(0x1000, 150));
        assertThatIllegalStateException()
                .isThrownBy(() -> list.add(at(0x1096, 200)))
                .withMessageContaining("of 3 elements is full");
        assertThatIllegalStateException().isThrownBy(() -> list.add(List.of(at(0x1096, 50), at(0x5000, 101)), 0, 151));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> list.add(List.of(at(0x1096, 50), at(0xffff_ffffL, 2)), 0, 52))
                .withMessageContaining("2 bytes at device address 0xffffffff are not where the device reaches")
                .withMessageContaining("up to 0xffffffff");
        assertThatIllegalArgumentException().isThrownBy(() -> list.add(at(1L << 32, 1)));
        assertThatIllegalArgumentException().isThrownBy(() -> list.add(at(-1, 1)));
        assertThat(list).hasToString("[0x1000+100, 0x1064+50]");
        assertThat(list.totalBytes()).isEqualTo(150);
        list.add(at(0xffff_ffffL, 1));
        assertThat(list.count()).isEqualTo(3);
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> list.address(3));
        list.clear();
        assertThat(list.totalBytes() + list.count()).isZero();
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> list.length(0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ScatterList(1, DmaLimits.NONE.alignedTo(4)).add(at(0x1002, 1)))
                .withMessageContaining("0x1002 is no device address for an element at multiples of 4");
    }

    @Test
    void listsThatCannotBeAreRefused() {
        for (int capacity : new int[] {0, -1, Integer.MIN_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> new ScatterList(capacity, DmaLimits.NONE));
        }
        DmaLimits page = DmaLimits.NONE.alignedTo(4096);
        assertThatIllegalArgumentException().isThrownBy(() -> new ScatterList(1, page.elementsUpTo(4095)));
        assertThatIllegalArgumentException().isThrownBy(() -> new ScatterList(1, page.notCrossing(2048)));
    }

    @Test
    void elementsCoverEveryByteOnceAndKeepTheLimits() {
        long seed = System.nanoTime();
        System.out.println("seed of the scatter lists: " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            long alignment = 1L << random.nextInt(5);
            DmaLimits limits = DmaLimits.NONE
                    .alignedTo(alignment)
                    .notCrossing(random.nextBoolean() ? 0 : 64L << random.nextInt(6))
                    .elementsUpTo(alignment + random.nextInt(1000));
            ScatterList list = new ScatterList(10_000, limits);
            List<Long> bytes = new ArrayList<>();
            long address = 0x10_0000;
            for (int i = 0; i < 5; i++) {
                int size = 1 + random.nextInt(2_000);
                list.add(at(address, size));
                for (long b = address; b < address + size; b++) {
                    bytes.add(b);
                }
                address = DmaLimits.alignUp(address + size, alignment) + alignment * random.nextInt(2);
            }
            List<Long> seen = new ArrayList<>();
            for (int i = 0; i < list.count(); i++) {
                long start = list.address(i);
                long last = start + list.length(i) - 1;
                assertThat(start % alignment).isZero();
                assertThat(list.length(i)).isBetween(1L, limits.maximumElementBytes());
                if (limits.boundaryBytes() != 0) {
                    assertThat(start / limits.boundaryBytes()).isEqualTo(last / limits.boundaryBytes());
                }
                for (long b = start; b <= last; b++) {
                    seen.add(b);
                }
            }
            assertThat(seen).isEqualTo(bytes);
            assertThat(list.totalBytes()).isEqualTo(bytes.size());
        }
    }
}
