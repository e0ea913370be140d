package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.outboard.linux.Fd;
import dev.outboard.memory.DmaAllocator.AddressRange;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DmaLimitsTest {
    private static final long CHUNK = DmaAllocator.CHUNK_BYTES;

    private final RecordingMapper mapper = new RecordingMapper();
    private final DmaAllocator allocator = new DmaAllocator(mapper, List.of(new AddressRange(CHUNK, 1L << 40)));

    @AfterEach
    void unmapEverything() {
        allocator.close();
        assertThat(mapper.mapped()).isEmpty();
    }

    @Test
    void limitsThatMakeNoSenseAreRefused() {
        for (long value : new long[] {0, -1, 3, 4095, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> DmaLimits.NONE.alignedTo(value));
        }
        for (long value : new long[] {-1, 3, Long.MIN_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> DmaLimits.NONE.notCrossing(value));
        }
        for (int bits : new int[] {0, -1, 65}) {
            assertThatIllegalArgumentException().isThrownBy(() -> DmaLimits.NONE.addressBits(bits));
        }
        for (long value : new long[] {0, -1, Long.MIN_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> DmaLimits.NONE.elementsUpTo(value));
        }
        assertThat(DmaLimits.NONE.addressBits(64)).isEqualTo(DmaLimits.NONE);
        assertThat(DmaLimits.NONE.addressBits(32).highestAddress()).isEqualTo(0xffff_ffffL);
        assertThat(DmaLimits.NONE.alignedTo(64).notCrossing(4096).addressBits(32))
                .hasToString("at multiples of 64, not across multiples of 4096, up to 0xffffffff");
    }

    @Test
    void everyAllocationKeepsItsLimitsAndOverlapsNoOther() throws IOException {
        long seed = System.nanoTime();
        System.out.println("seed of the limits: " + seed);
        Random random = new Random(seed);
        List<DmaMemory> all = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            long boundary = 1L << random.nextInt(6, 23);
            DmaLimits limits = DmaLimits.NONE
                    .alignedTo(1L << random.nextInt(22))
                    .notCrossing(boundary)
                    .addressBits(36);
            long size = 1 + random.nextLong(Math.min(boundary, 100_000));
            DmaMemory memory = allocator.allocate(size, limits);
            long last = memory.deviceAddress() + size - 1;
            assertThat(memory.deviceAddress() % limits.alignmentBytes()).isZero();
            assertThat(memory.deviceAddress() / boundary).isEqualTo(last / boundary);
            assertThat(last >>> 36).isZero();
            all.forEach(other -> assertThat(other.deviceAddress() > last
                            || other.deviceAddress() + other.sizeBytes() <= memory.deviceAddress())
                    .isTrue());
            all.add(memory);
            if (all.size() > 60) {
                all.remove(random.nextInt(all.size())).close();
            }
        }
        all.forEach(DmaMemory::close);
        int chunks = mapper.mapped().size();
        for (int i = 0; i < chunks; i++) {
            allocator.allocate(CHUNK, CHUNK);
        }
        assertThat(mapper.mapped()).as("all came back in one piece").hasSize(chunks);
    }

    @Test
    void largeAllocationsDoNotCrossLargeBoundaries() throws IOException {
        DmaLimits limits = DmaLimits.NONE.notCrossing(8 * CHUNK);
        // The first chunk is at 2 MiB, so these two would cross 16 MiB.
        assertThat(allocator.allocate(5 * CHUNK, limits).deviceAddress()).isEqualTo(CHUNK);
        assertThat(allocator.allocate(5 * CHUNK, limits).deviceAddress()).isEqualTo(8 * CHUNK);
        assertThat(allocator.allocate(8 * CHUNK, limits).deviceAddress()).isEqualTo(16 * CHUNK);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> allocator.allocate(8 * CHUNK + 1, limits))
                .withMessageContaining("cross a boundary wherever they are");
    }

    @Test
    void aDeviceThatReachesTooLittleIsToldSo() throws IOException {
        DmaLimits bits23 = DmaLimits.NONE.addressBits(23);
        for (int i = 0; i < 3; i++) {
            assertThat(allocator.allocate(CHUNK, bits23).deviceAddress()).isEqualTo((i + 1) * CHUNK);
        }
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> allocator.allocate(1, bits23))
                .withMessageContaining("no room for 2097152 bytes")
                .withMessageContaining("up to 0x7fffff");
        assertThat(allocator.allocate(CHUNK).deviceAddress()).isEqualTo(4 * CHUNK);
    }

    @Test
    void piecesOfMemoryThatIsThereAlready() throws IOException {
        List<String> closed = new ArrayList<>();
        MemorySegment segment = MemorySegment.ofArray(new long[1024]);
        DmaMemory whole = new DmaMemory(segment, 0xffff_f020L, () -> closed.add("whole"));
        try (DmaAllocator within = DmaAllocator.within(whole)) {
            DmaMemory piece =
                    within.allocate(4096, DmaLimits.NONE.alignedTo(1024).addressBits(33));
            assertThat(piece.deviceAddress()).isEqualTo(0xffff_f400L);
            assertThat(piece.segment().heapBase()).isEqualTo(segment.heapBase());
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> within.allocate(4096))
                    .withMessageContaining("no room for 4096 bytes");
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> within.allocate(10_000));
            piece.close();
            assertThat(within.allocate(4096, 64).deviceAddress() % 64).isZero();
            try (Fd file = Fd.memfd("no IOMMU", 4096)) {
                assertThatExceptionOfType(UnsupportedOperationException.class)
                        .isThrownBy(() -> within.map(file))
                        .withMessageContaining("no IOMMU to map memfd:no IOMMU with");
            }
        }
        assertThat(closed).containsExactly("whole");
        DmaMemory tiny = whole.slice(0, 63);
        assertThatIllegalArgumentException().isThrownBy(() -> DmaAllocator.within(tiny));
    }

    @Test
    void filesAreMappedAsTheyAreAndOnlyWholePages() throws IOException {
        try (Fd file = Fd.memfd("given", CHUNK + 4096);
                Fd odd = Fd.memfd("odd", 4097);
                Fd empty = Fd.memfd("empty", 0);
                Fd device = Fd.open("/dev/zero", Fd.O_RDWR)) {
            DmaMemory memory = allocator.map(file);
            assertThat(memory.sizeBytes()).isEqualTo(CHUNK + 4096);
            assertThat(mapper.mapped()).containsOnlyKeys(CHUNK);
            DmaMemory behind = allocator.allocate(1);
            assertThat(behind.deviceAddress()).isEqualTo(3 * CHUNK);
            memory.close();
            memory.close();
            assertThat(mapper.mapped()).containsOnlyKeys(3 * CHUNK);
            // Closing the allocator unmaps what its user did not.
            assertThat(allocator.map(file).deviceAddress()).isEqualTo(CHUNK);
            for (Fd wrong : List.of(odd, empty, device)) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> allocator.map(wrong))
                        .withMessageContaining("give a file of whole pages");
            }
        }
    }

    @Test
    void memoryPastTheHighestAddressIsRefused() {
        MemorySegment segment = MemorySegment.ofArray(new byte[4096]);
        assertThatIllegalArgumentException().isThrownBy(() -> new DmaMemory(segment, -4095, () -> {}));
        new DmaMemory(segment, -4096, () -> {}).close();
    }
}
