package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.sun.management.ThreadMXBean;
import dev.outboard.memory.DmaAllocator.AddressRange;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DmaPoolTest {
    private static final int THREADS = 4;
    private static final long CHUNK = DmaAllocator.CHUNK_BYTES;

    private final RecordingMapper mapper = new RecordingMapper();
    private final DmaAllocator allocator = new DmaAllocator(mapper, List.of(new AddressRange(CHUNK, 1L << 40)));

    @AfterEach
    void unmapEverything() {
        allocator.close();
    }

    @Test
    void allBuffersCanBeTakenAndNoneMore() throws IOException {
        for (DmaLimits limits : List.of(
                DmaLimits.NONE,
                DmaLimits.NONE.alignedTo(4096),
                DmaLimits.NONE.notCrossing(4096),
                DmaLimits.NONE.alignedTo(128).notCrossing(2048))) {
            try (DmaPool pool = DmaPool.of(allocator, 1000, 1500, limits)) {
                Set<Long> addresses = new HashSet<>();
                for (int i = 0; i < 1000; i++) {
                    DmaMemory buffer = taken(pool);
                    long first = buffer.deviceAddress();
                    assertThat(buffer.sizeBytes()).isEqualTo(1500);
                    assertThat(first % Math.max(64, limits.alignmentBytes())).isZero();
                    if (limits.boundaryBytes() != 0) {
                        assertThat((first + 1499) / limits.boundaryBytes()).isEqualTo(first / limits.boundaryBytes());
                    }
                    for (long line = first / 64; line <= (first + 1499) / 64; line++) {
                        assertThat(addresses.add(line)).isTrue();
                    }
                }
                assertThat(pool.take()).isNull();
                assertThat(pool).hasToString("pool of 1000 DMA buffers of 1500 bytes");
            }
        }
    }

    private static DmaMemory taken(DmaPool pool) {
        DmaMemory buffer = pool.take();
        if (buffer == null) {
            throw new AssertionError("the pool is empty");
        }
        return buffer;
    }

    @Test
    void aBufferIsGivenBackOnceAndToItsPool() throws IOException {
        DmaPool pool = DmaPool.of(allocator, 2, 64, DmaLimits.NONE);
        DmaPool other = DmaPool.of(allocator, 2, 64, DmaLimits.NONE);
        DmaMemory buffer = taken(pool);
        buffer.close();
        pool.give(buffer);
        assertThatIllegalStateException()
                .isThrownBy(() -> pool.give(buffer))
                .withMessageContaining("was given back already");
        for (DmaMemory stranger :
                List.of(taken(other), allocator.allocate(64), taken(pool).slice(0, 64))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> pool.give(stranger))
                    .withMessageContaining("is not of this pool");
        }
        // Nothing was lost or doubled by that.
        taken(pool);
        assertThat(pool.take()).isNull();
    }

    @Test
    void whatIsStillTakenIsNotGivenToOthers() throws IOException {
        DmaPool full = DmaPool.of(allocator, 16, CHUNK / 16, DmaLimits.NONE);
        DmaPool inUse = DmaPool.of(allocator, 16, CHUNK / 16, DmaLimits.NONE);
        DmaMemory buffer = taken(inUse);
        assertThat(mapper.mapped()).hasSize(2);
        full.close();
        full.close();
        inUse.close();
        assertThatIllegalStateException().isThrownBy(full::take);
        inUse.give(buffer);
        // One chunk is free again, the other one stays the device's.
        allocator.allocate(CHUNK);
        assertThat(mapper.mapped()).hasSize(2);
        allocator.allocate(CHUNK);
        assertThat(mapper.mapped()).hasSize(3);
    }

    @Test
    void aSourceOfSmallPiecesMakesAPoolOfSeveral() throws IOException {
        List<Long> supplied = new ArrayList<>();
        DmaSource pages = new DmaSource() {
            @Override
            public DmaMemory supply(long sizeBytes, DmaLimits limits) {
                supplied.add(sizeBytes);
                MemorySegment page = MemorySegment.ofArray(new byte[4096]);
                return new DmaMemory(page, 0x10_0000L * supplied.size(), () -> {});
            }

            @Override
            public long largestBytes() {
                return 4096;
            }

            @Override
            public void close() {}
        };
        DmaAllocator allocatorOfPages = new DmaAllocator(pages);
        DmaPool pool = DmaPool.of(allocatorOfPages, 5, 2048, DmaLimits.NONE);
        assertThat(supplied).hasSize(3);
        for (int i = 0; i < 5; i++) {
            assertThat(taken(pool).deviceAddress() % 2048).isZero();
        }
        assertThat(pool.take()).isNull();
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> DmaPool.of(allocatorOfPages, 1, 4097, DmaLimits.NONE))
                .withMessageContaining("more than there is in one piece, 4096");
    }

    @Test
    void poolsThatCannotBeAreRefused() throws IOException {
        for (long[] wrong : new long[][] {{0, 1}, {-1, 1}, {1, 0}, {1, -1}, {2, Long.MAX_VALUE}, {1, Long.MIN_VALUE}}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> DmaPool.of(allocator, (int) wrong[0], wrong[1], DmaLimits.NONE));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DmaPool.of(allocator, 1, 4097, DmaLimits.NONE.notCrossing(4096)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DmaPool.of(allocator, 1, CHUNK + 1, DmaLimits.NONE.notCrossing(8 * CHUNK)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DmaPool.of(allocator, 1, 1, DmaLimits.NONE.alignedTo(2 * CHUNK)));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> DmaPool.of(allocator, Integer.MAX_VALUE, 1 << 20, DmaLimits.NONE));
        assertThat(mapper.mapped()).isEmpty();
    }

    @Test
    void noBufferHasTwoOwnersHoweverManyThreadsTakeAndGive() throws Exception {
        // Few buffers, so that threads meet, and the stack's top returns to what it was.
        DmaPool pool = DmaPool.of(allocator, THREADS + 1, 64, DmaLimits.NONE);
        try (ExecutorService executor = Executors.newFixedThreadPool(THREADS)) {
            List<Future<Integer>> running = new ArrayList<>();
            for (int thread = 1; thread <= THREADS; thread++) {
                long mark = thread;
                running.add(executor.submit(() -> takeAndGive(pool, mark)));
            }
            for (Future<Integer> future : running) {
                assertThat(future.get()).isPositive();
            }
        }
        for (int i = 0; i <= THREADS; i++) {
            taken(pool);
        }
        assertThat(pool.take()).isNull();
    }

    private static int takeAndGive(DmaPool pool, long mark) {
        int rounds = 0;
        for (int i = 0; rounds < 100_000; i++) {
            DmaMemory first = pool.take();
            DmaMemory second = i % 3 == 0 ? pool.take() : null;
            for (DmaMemory buffer : new DmaMemory[] {first, second}) {
                if (buffer != null) {
                    buffer.segment().set(JAVA_LONG, 0, mark);
                    Thread.onSpinWait();
                    if (buffer.segment().get(JAVA_LONG, 0) != mark) {
                        throw new AssertionError("another thread has the same buffer");
                    }
                    rounds++;
                }
            }
            if (first != null) {
                pool.give(first);
            }
            if (second != null) {
                pool.give(second);
            }
            if (first == null) {
                Thread.onSpinWait();
            }
        }
        return rounds;
    }

    @Test
    void takingAndGivingAllocatesNothing() throws IOException {
        DmaPool pool = DmaPool.of(allocator, 16, 64, DmaLimits.NONE);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        run(pool);
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            run(pool);
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(least).isLessThan(1000);
    }

    private static void run(DmaPool pool) {
        ScatterList list = new ScatterList(4, DmaLimits.NONE);
        for (int i = 0; i < 10_000; i++) {
            DmaMemory buffer = pool.take();
            if (buffer != null) {
                list.clear();
                list.add(buffer, 8, 16);
                pool.give(buffer);
            }
        }
    }
}
