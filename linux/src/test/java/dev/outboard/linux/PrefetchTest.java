package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class PrefetchTest {
    @Test
    void memoryStaysAsItIs() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(4096, 64).fill((byte) 7);
            Prefetch.lines(memory, 0, 64);
            assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).containsOnly(7);
        }
    }

    @Test
    void addressesThatAreNotMappedDoNoHarm() {
        assertThatCode(() -> {
                    Prefetch.lines(MemorySegment.NULL, 0, 8);
                    Prefetch.lines(MemorySegment.ofAddress(-4096), 0, 1000);
                    Prefetch.lines(MemorySegment.ofAddress(0x1234_5678_9abc_def0L), 3, 0);
                })
                .doesNotThrowAnyException();
    }
}
