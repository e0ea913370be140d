package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.junit.jupiter.api.Test;

class FutexTest {
    private static final long LONG_NANOS = 60_000_000_000L;
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    @Test
    void aSleeperIsWokenThroughAnotherMappingOfTheMemory() throws Exception {
        try (Fd file = Fd.memfd("futex", 4096);
                Arena arena = Arena.ofShared()) {
            int protection = Mman.PROT_READ | Mman.PROT_WRITE;
            MemorySegment here = file.mmap(0, 4096, protection, Mman.MAP_SHARED, arena);
            MemorySegment there = file.mmap(0, 4096, protection, Mman.MAP_SHARED, arena);
            Thread waker = Thread.ofPlatform().start(() -> {
                try {
                    INT.setVolatile(there, 8L, 1);
                    Futex.wake(there, 8, 1);
                } catch (LinuxException e) {
                    throw new AssertionError(e);
                }
            });
            while ((int) INT.getVolatile(here, 8L) == 0) {
                assertThat(Futex.await(here, 8, 0, LONG_NANOS)).isTrue();
            }
            waker.join();
        }
    }

    @Test
    void anotherValueOrTheEndOfTheTimeEndsTheSleep() throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(4, 4);
            assertThat(Futex.await(word, 0, 1, LONG_NANOS)).isTrue();
            assertThat(Futex.await(word, 0, 0, 1000)).isFalse();
            assertThat(Futex.await(word, 0, 0, -1)).isFalse();
            assertThat(Futex.wake(word, 0, 1)).isZero();
        }
    }

    @Test
    void wordsThatCannotBeAreRefused() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment words = arena.allocate(8, 8);
            assertThatThrownBy(() -> Futex.wake(words, 8, 1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> Futex.wake(words, -4, 1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> Futex.await(words, 2, 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> Futex.wake(MemorySegment.ofArray(new int[1]), 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
