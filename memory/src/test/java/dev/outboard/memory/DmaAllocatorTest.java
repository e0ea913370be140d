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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DmaAllocatorTest {
    private static final long CHUNK = DmaAllocator.CHUNK_BYTES;

    private final RecordingMapper mapper = new RecordingMapper();
    private final DmaAllocator allocator = new DmaAllocator(mapper, List.of(new AddressRange(0x10_0000, 1L << 40)));

    @AfterEach
    void unmapEverything() throws IOException {
        allocator.close();
        assertThat(mapper.mapped()).isEmpty();
        assertThat(mappingsOfDmaFiles()).isZero();
    }

    private static long mappingsOfDmaFiles() throws IOException {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.filter(line -> line.contains("memfd:outboard-dma")).count();
        }
    }

    @Test
    void chunksAreMultiplesOfTwoMebibytesWhateverIsAsked() throws IOException {
        for (long size : new long[] {1, CHUNK, CHUNK + 1, 5 * CHUNK - 1}) {
            allocator.allocate(size);
        }
        assertThat(mapper.mapped()).isNotEmpty().allSatisfy((address, length) -> {
            assertThat(address % CHUNK).isZero();
            assertThat(length % CHUNK).isZero();
        });
        // The range starts at 1 MiB; the first chunk at the next multiple.
        assertThat(mapper.mapped().firstKey()).isEqualTo(CHUNK);
    }

    @Test
    void reservedAddressesAreLeftOut() throws IOException {
        DmaMemory first = allocator.allocate(1);
        allocator.reserve(new AddressRange(2 * CHUNK, 2 * CHUNK + 4095));
        DmaMemory second = allocator.allocate(CHUNK);
        assertThat(first.deviceAddress()).isEqualTo(CHUNK);
        assertThat(second.deviceAddress()).isEqualTo(3 * CHUNK);
        for (long taken : new long[] {CHUNK, 2 * CHUNK, 3 * CHUNK}) {
            AddressRange range = new AddressRange(taken + 1, taken + 1);
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> allocator.reserve(range))
                    .withMessageContaining("already");
        }
    }

    @Test
    void memoryIsAlignedForDeviceAndProcessor() throws IOException {
        for (long alignment = 1; alignment <= CHUNK; alignment *= 2) {
            allocator.allocate(1, 64);
            DmaMemory memory = allocator.allocate(100, alignment);
            assertThat(memory.sizeBytes()).isEqualTo(100);
            assertThat(memory.deviceAddress() % alignment).isZero();
            assertThat(memory.segment().address() % Math.min(alignment, DmaAllocator.PAGE_BYTES))
                    .isZero();
        }
        assertThat(allocator.allocate(1).deviceAddress() % DmaAllocator.PAGE_BYTES)
                .isZero();
    }

    @Test
    void bothAddressesLeadToTheSameBytes() throws IOException {
        allocator.allocate(12_345);
        DmaMemory memory = allocator.allocate(8192);
        memory.segment().set(JAVA_LONG, 4096, 0x1234);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment seenByDevice = mapper.seenByDevice(memory.deviceAddress(), 8192, arena);
            assertThat(seenByDevice.get(JAVA_LONG, 4096)).isEqualTo(0x1234);
        }
    }

    @Test
    void memoryIsZeroedAgainAndAgain() throws IOException {
        for (int i = 0; i < 3; i++) {
            try (DmaMemory memory = allocator.allocate(10_000)) {
                assertThat(memory.segment().toArray(JAVA_BYTE)).containsOnly(0);
                memory.segment().fill((byte) 0xa5);
            }
        }
        assertThat(mapper.mapped()).hasSize(1);
    }

    @Test
    void nothingOverlapsAndAllCoalescesInWhateverOrderItIsClosed() throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed of the order of closing: " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            List<DmaMemory> all = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                all.add(allocator.allocate(1 + random.nextInt(40_000), 1L << random.nextInt(14)));
            }
            assertThat(mapper.mapped()).hasSize(1);
            for (int i = 0; i < all.size(); i++) {
                all.get(i).segment().fill((byte) (i + 1));
            }
            for (int i = 0; i < all.size(); i++) {
                assertThat(all.get(i).segment().toArray(JAVA_BYTE)).containsOnly(i + 1);
            }
            Collections.shuffle(all, random);
            all.forEach(DmaMemory::close);
            all.forEach(DmaMemory::close);
            // Only if all came back in one piece does the whole chunk fit again.
            allocator.allocate(CHUNK, CHUNK).close();
            assertThat(mapper.mapped()).hasSize(1);
        }
    }

    @Test
    void addressesStayInTheRangesInOrderOfPreference() throws IOException {
        List<AddressRange> ranges = List.of(
                new AddressRange(10 * CHUNK - 1, 12 * CHUNK - 1), // two chunks
                new AddressRange(20 * CHUNK, 21 * CHUNK - 2), // a byte too short
                new AddressRange(4 * CHUNK + 1, 6 * CHUNK - 1)); // one chunk
        try (DmaAllocator picky = new DmaAllocator(mapper, ranges)) {
            for (long expected : new long[] {10, 11, 5}) {
                assertThat(picky.allocate(CHUNK).deviceAddress()).isEqualTo(expected * CHUNK);
            }
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> picky.allocate(1))
                    .withMessageContaining("no room for 2097152 bytes")
                    .withMessageContaining("-0x" + Long.toHexString(21 * CHUNK - 2))
                    .withMessageContaining("close DMA memory");
        }
    }

    @Test
    void addressesAreUnsigned() throws IOException {
        try (DmaAllocator everywhere = new DmaAllocator(mapper, List.of(new AddressRange(0, -1)))) {
            assertThat(everywhere.allocate(1).deviceAddress()).isZero();
            assertThat(everywhere.allocate(CHUNK).deviceAddress()).isEqualTo(CHUNK);
        }
        try (DmaAllocator top = new DmaAllocator(mapper, List.of(new AddressRange(-2 * CHUNK, -1)))) {
            assertThat(top.allocate(CHUNK).deviceAddress()).isEqualTo(-2 * CHUNK);
            assertThat(top.allocate(CHUNK).deviceAddress()).isEqualTo(-CHUNK);
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> top.allocate(1));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new AddressRange(-1, 0));
    }

    @Test
    void overlappingRangesDoNotGiveAnAddressTwice() throws IOException {
        var ranges = List.of(new AddressRange(0, 2 * CHUNK - 1), new AddressRange(CHUNK, 3 * CHUNK - 1));
        try (DmaAllocator overlapping = new DmaAllocator(mapper, ranges)) {
            overlapping.allocate(2 * CHUNK);
            assertThat(overlapping.allocate(CHUNK).deviceAddress()).isEqualTo(2 * CHUNK);
        }
    }

    @Test
    void aMapperThatFailsLeavesNothingBehind() throws IOException {
        long open = openDescriptors();
        mapper.failNext();
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> allocator.allocate(100))
                .withMessage("memlock");
        assertThat(mappingsOfDmaFiles()).isZero();
        assertThat(openDescriptors()).isEqualTo(open);
        assertThat(allocator.allocate(100).deviceAddress()).isEqualTo(CHUNK);
    }

    private static long openDescriptors() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.count();
        }
    }

    @Test
    void closingUnmapsInReverseOrderAndTwiceIsHarmless() throws IOException {
        DmaMemory first = allocator.allocate(CHUNK);
        allocator.allocate(2 * CHUNK);
        allocator.allocate(CHUNK);
        allocator.close();
        allocator.close();
        assertThat(mapper.unmapped()).containsExactly(4 * CHUNK, 2 * CHUNK, CHUNK);
        first.close();
        assertThatIllegalStateException().isThrownBy(() -> allocator.allocate(1));
        assertThatIllegalStateException().isThrownBy(() -> first.segment().get(JAVA_BYTE, 0));
    }

    @Test
    void whatCannotBeAllocatedIsRefusedAndSpoilsNothing() throws IOException {
        allocator.allocate(1);
        for (long size : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> allocator.allocate(size));
        }
        for (long alignment : new long[] {0, 3, -4096, Long.MIN_VALUE, 2 * CHUNK}) {
            assertThatIllegalArgumentException().isThrownBy(() -> allocator.allocate(1, alignment));
        }
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> allocator.allocate(1L << 41));
        assertThat(allocator.allocate(1).deviceAddress()).isEqualTo(CHUNK + DmaAllocator.PAGE_BYTES);
    }

    @Test
    void severalThreadsMayAllocateAndClose() throws Exception {
        try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
            List<Future<?>> running = new ArrayList<>();
            for (int thread = 1; thread <= 4; thread++) {
                byte mark = (byte) thread;
                running.add(executor.submit(() -> allocateAndClose(mark)));
            }
            for (Future<?> future : running) {
                future.get();
            }
        }
        int chunks = mapper.mapped().size();
        allocator.allocate(CHUNK, CHUNK);
        assertThat(mapper.mapped()).hasSize(chunks);
    }

    private Void allocateAndClose(byte mark) throws IOException {
        Random random = new Random(mark);
        for (int i = 0; i < 2_000; i++) {
            try (DmaMemory memory = allocator.allocate(1 + random.nextInt(5_000), 64)) {
                memory.segment().fill(mark);
                assertThat(memory.segment().get(JAVA_BYTE, memory.sizeBytes() - 1))
                        .isEqualTo(mark);
                assertThat(memory.segment().get(JAVA_BYTE, 0)).isEqualTo(mark);
            }
        }
        return null;
    }

    @Test
    void aSliceIsAPartForBothSidesAndClosingItDoesNothing() throws IOException {
        DmaMemory memory = allocator.allocate(4096);
        DmaMemory slice = memory.slice(512, 1024);
        assertThat(slice.deviceAddress()).isEqualTo(memory.deviceAddress() + 512);
        assertThat(slice.sizeBytes()).isEqualTo(1024);
        slice.segment().set(JAVA_LONG, 0, 99);
        assertThat(memory.segment().get(JAVA_LONG, 512)).isEqualTo(99);
        slice.close();
        assertThat(allocator.allocate(4096).deviceAddress()).isNotEqualTo(memory.deviceAddress());
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> memory.slice(4000, 97));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> memory.slice(-1, 1));
        assertThat(slice).hasToString("DMA memory of 1024 bytes at device address 0x200200");
    }
}
