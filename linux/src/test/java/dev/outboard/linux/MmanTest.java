package dev.outboard.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class MmanTest {
    private static final int READ_WRITE = Mman.PROT_READ | Mman.PROT_WRITE;

    @Test
    void aMemfdIsSharedByItsMappings() throws IOException {
        try (Fd fd = Fd.memfd("shared", 8192);
                Arena arena = Arena.ofConfined()) {
            MemorySegment whole = fd.mmap(0, 8192, READ_WRITE, Mman.MAP_SHARED, arena);
            MemorySegment second = fd.mmap(4096, 4096, READ_WRITE, Mman.MAP_SHARED, arena);
            whole.set(JAVA_INT, 4096 + 12, 42);
            assertThat(second.get(JAVA_INT, 12)).isEqualTo(42);
            assertThat(second.byteSize()).isEqualTo(4096);
        }
    }

    @Test
    void aPrivateMappingKeepsItsWritesToItself() throws IOException {
        try (Fd fd = Fd.memfd("private", 4096);
                Arena arena = Arena.ofConfined()) {
            MemorySegment shared = fd.mmap(0, 4096, READ_WRITE, Mman.MAP_SHARED, arena);
            fd.mmap(0, 4096, READ_WRITE, Mman.MAP_PRIVATE, arena).set(JAVA_INT, 0, 7);
            assertThat(shared.get(JAVA_INT, 0)).isZero();
        }
    }

    @Test
    void aMappingEndsWithItsArenaNotWithItsDescriptor() throws IOException {
        String name = "memfd:ends-with-arena";
        try (Arena arena = Arena.ofShared()) {
            MemorySegment mapping;
            try (Fd fd = Fd.memfd("ends-with-arena", 4096)) {
                mapping = fd.mmap(0, 4096, READ_WRITE, Mman.MAP_SHARED, arena);
            }
            mapping.set(JAVA_INT, 0, 1);
            assertThat(Descriptors.mappingsOf(name)).isEqualTo(1);
        }
        assertThat(Descriptors.mappingsOf(name)).isZero();
    }

    @Test
    void aMappingForReadingIsAReadOnlySegment() throws IOException {
        try (Fd fd = Fd.memfd("read-only", 4096);
                Arena arena = Arena.ofConfined()) {
            MemorySegment mapping = fd.mmap(0, 4096, Mman.PROT_READ, Mman.MAP_SHARED, arena);
            assertThat(mapping.isReadOnly()).isTrue();
            assertThat(mapping.get(JAVA_INT, 0)).isZero();
        }
    }

    @Test
    void aMappingForAnArenaThatRefusesItIsUndone() throws IOException {
        String name = "memfd:refused";
        Arena closed = Arena.ofConfined();
        closed.close();
        try (Fd fd = Fd.memfd("refused", 4096);
                Arena ofThisThread = Arena.ofConfined()) {
            assertThatIllegalStateException().isThrownBy(() -> fd.mmap(0, 4096, READ_WRITE, Mman.MAP_SHARED, closed));
            assertThatExceptionOfType(CompletionException.class)
                    .isThrownBy(() -> CompletableFuture.runAsync(() -> map(fd, ofThisThread))
                            .join())
                    .withCauseInstanceOf(WrongThreadException.class);
            assertThat(Descriptors.mappingsOf(name)).isZero();
        }
    }

    private static void map(Fd fd, Arena arena) {
        try {
            fd.mmap(0, 4096, READ_WRITE, Mman.MAP_SHARED, arena);
        } catch (LinuxException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void anUnalignedOffsetIsExplained() throws IOException {
        try (Fd fd = Fd.memfd("unaligned", 8192);
                Arena arena = Arena.ofConfined()) {
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> fd.mmap(12, 4096, READ_WRITE, Mman.MAP_SHARED, arena))
                    .withMessageStartingWith("mmap memfd:unaligned: ")
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        }
    }

    @Test
    void anonymousMemoryIsZeroed() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = Mman.anonymous(1 << 20, Mman.MAP_PRIVATE | Mman.MAP_POPULATE, arena);
            assertThat(memory.mismatch(arena.allocate(1 << 20))).isEqualTo(-1);
            memory.set(JAVA_INT, (1 << 20) - 4, 1);
        }
    }

    @Test
    void aTouchBeyondATruncatedFileIsAnErrorNotACrash() throws IOException {
        try (Fd fd = Fd.memfd("truncated", 4096);
                Arena arena = Arena.ofConfined()) {
            MemorySegment mapping = fd.mmap(0, 4096, READ_WRITE, Mman.MAP_SHARED, arena);
            fd.truncate(0);
            assertThatExceptionOfType(InternalError.class).isThrownBy(() -> mapping.get(JAVA_INT, 0));
        }
    }
}
