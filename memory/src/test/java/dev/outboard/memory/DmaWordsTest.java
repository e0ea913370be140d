package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.outboard.memory.DmaAllocator.AddressRange;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DmaWordsTest {
    private static final int SIZE = 4096;

    private final DmaAllocator allocator =
            new DmaAllocator(new RecordingMapper(), List.of(new AddressRange(0x10_0000, 1L << 40)));

    @AfterEach
    void close() {
        allocator.close();
    }

    private List<DmaMemory> memories() throws IOException {
        return List.of(
                allocator.allocate(SIZE),
                allocator.allocate(2 * SIZE).slice(SIZE, SIZE),
                new DmaMemory(Arena.global().allocate(SIZE, Long.BYTES), 0x1000, () -> {}));
    }

    @Test
    void wordsAreThoseOfTheSegment() throws IOException {
        for (DmaMemory memory : memories()) {
            checkWords(memory);
        }
    }

    private static void checkWords(DmaMemory memory) {
        DmaWords words = new DmaWords(memory);
        MemorySegment segment = memory.segment();
        for (long at : new long[] {0, 8, SIZE - 8}) {
            words.setLong(at, 0x1122_3344_5566_7788L + at);
            assertThat(segment.get(JAVA_LONG, at)).isEqualTo(0x1122_3344_5566_7788L + at);
            assertThat(segment.get(JAVA_BYTE, at)).isEqualTo((byte) (0x88 + at));
            assertThat(words.getLong(at)).isEqualTo(0x1122_3344_5566_7788L + at);
            assertThat(words.getInt(at + 4)).isEqualTo(0x1122_3344);
            assertThat(words.getIntAcquire(at)).isEqualTo((int) (0x5566_7788 + at));
        }
    }

    @Test
    void nothingOutsideIsTouchedAndNothingAcross() throws IOException {
        for (DmaMemory memory : memories()) {
            checkBounds(memory);
        }
    }

    private static void checkBounds(DmaMemory memory) {
        DmaWords words = new DmaWords(memory);
        for (long at : new long[] {-8, SIZE, Long.MIN_VALUE, Long.MAX_VALUE & -8, 4, 1}) {
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> words.getLong(at));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> words.setLong(at, 1));
        }
        for (long at : new long[] {-4, SIZE, 2, SIZE - 2}) {
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> words.getInt(at));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> words.getIntAcquire(at));
        }
    }

    @Test
    void memoryThatIsTooShortOrAskewHasNoWords() throws IOException {
        DmaMemory memory = allocator.allocate(SIZE);
        assertThatIllegalArgumentException().isThrownBy(() -> new DmaWords(memory.slice(0, 4)));
        assertThatIllegalArgumentException().isThrownBy(() -> new DmaWords(memory.slice(4, 16)));
    }

    @Test
    void memoryThatWasGivenBackReadsAsZerosAndItsSegmentIsDead() throws IOException {
        DmaMemory memory = allocator.allocate(SIZE);
        DmaWords words = new DmaWords(memory);
        words.setLong(0, 1);
        allocator.close();
        assertThat(words.getLong(0)).isZero();
        words.setLong(8, 2);
        assertThat(words.getInt(16)).isZero();
        MemorySegment segment = memory.segment();
        assertThatIllegalStateException().isThrownBy(() -> segment.get(JAVA_LONG, 0));
    }
}
