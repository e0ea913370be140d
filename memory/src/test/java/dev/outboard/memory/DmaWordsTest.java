package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.outboard.memory.DmaAllocator.AddressRange;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
            assertThat(words.getLongAcquire(at)).isEqualTo(0x1122_3344_5566_7788L + at);
        }
    }

    @Test
    void eightWordsAreStoredInOrder() throws IOException {
        for (DmaMemory memory : memories()) {
            DmaWords words = new DmaWords(memory);
            words.setLongs(SIZE - 64, 1, 2, 3, 4, 5, 6, 7, -8);
            assertThat(memory.segment().asSlice(SIZE - 72).toArray(JAVA_LONG))
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, -8);
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
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> words.getLongAcquire(at));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> words.setLong(at, 1));
        }
        for (long at : new long[] {-8, SIZE - 56, SIZE, Long.MIN_VALUE, 4, 1}) {
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> words.setLongs(at, 1, 2, 3, 4, 5, 6, 7, 8));
        }
        assertThat(memory.segment().toArray(JAVA_LONG)).containsOnly(0);
    }

    @Test
    void eightWordsDoNotFitLessMemory() throws IOException {
        DmaWords words = new DmaWords(allocator.allocate(SIZE).slice(0, 56));
        words.setLong(48, 1);
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> words.setLongs(0, 1, 2, 3, 4, 5, 6, 7, 8));
    }

    @Test
    void memoryThatIsTooLongHasNoWords(@TempDir Path directory) throws IOException {
        try (FileChannel file = FileChannel.open(directory.resolve("sparse"), CREATE, READ, WRITE);
                Arena arena = Arena.ofConfined()) {
            MemorySegment mapped = file.map(FileChannel.MapMode.READ_WRITE, 0, (1L << 30) + Long.BYTES, arena);
            new DmaWords(new DmaMemory(mapped.asSlice(0, 1L << 30), 0x1000, () -> {})).setLong((1L << 30) - 8, 7);
            assertThat(mapped.get(JAVA_LONG, (1L << 30) - 8)).isEqualTo(7);
            DmaMemory tooLong = new DmaMemory(mapped, 0x1000, () -> {});
            assertThatIllegalArgumentException().isThrownBy(() -> new DmaWords(tooLong));
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
        assertThat(words.getLongAcquire(16)).isZero();
        MemorySegment segment = memory.segment();
        assertThatIllegalStateException().isThrownBy(() -> segment.get(JAVA_LONG, 0));
    }
}
