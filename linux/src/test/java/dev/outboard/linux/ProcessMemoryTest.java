package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On a process's own memory, by its pid, and on that of a child. */
class ProcessMemoryTest {
    private static final long PAGE = 4096;
    private static final long SELF = ProcessHandle.current().pid();
    private static final int MISSING_PID = 0x7ffffff0;

    private final Arena arena = Arena.ofShared();

    @AfterEach
    void close() {
        arena.close();
    }

    private static ProcessMemory open(boolean proc, long pid) throws LinuxException {
        return proc ? ProcessMemory.throughProc(pid, true) : ProcessMemory.ofProcess(pid);
    }

    private MemorySegment bytes(int... values) {
        MemorySegment segment = arena.allocate(values.length);
        for (int i = 0; i < values.length; i++) {
            segment.set(ValueLayout.JAVA_BYTE, i, (byte) values[i]);
        }
        return segment;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsWrittenIsThereAndReadBack(boolean proc) throws LinuxException {
        MemorySegment target = arena.allocate(64);
        try (ProcessMemory memory = open(proc, SELF)) {
            assertThat(memory.write(target.address() + 3, bytes(1, 2, 3))).isEqualTo(3);
            assertThat(target.asSlice(2, 5).toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, 1, 2, 3, 0);
            MemorySegment into = arena.allocate(5);
            memory.readFully(target.address() + 2, into);
            assertThat(into.toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, 1, 2, 3, 0);
            assertThat(memory.read(target.address(), into.asSlice(0, 0))).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCopyEndsWhereTheMappingEnds(boolean proc) throws LinuxException {
        // Beyond the end of the file there is nothing, though the mapping goes on.
        try (Fd file = Fd.memfd("half", PAGE);
                ProcessMemory memory = open(proc, SELF)) {
            MemorySegment mapping = file.mmap(0, 2 * PAGE, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
            MemorySegment into = arena.allocate(200);
            assertThat(memory.read(mapping.address() + PAGE - 100, into)).isEqualTo(100);
            assertThat(memory.write(mapping.address() + PAGE - 100, into)).isEqualTo(100);
            assertThatThrownBy(() -> memory.readFully(mapping.address() + PAGE - 100, into))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT))
                    .hasMessageContaining("0x" + Long.toHexString(mapping.address() + PAGE))
                    .hasMessageContaining("/maps");
            assertThatThrownBy(() -> memory.writeFully(mapping.address() + PAGE - 100, into))
                    .isInstanceOf(LinuxException.class);
            assertThatThrownBy(() -> memory.read(16, into))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
        }
    }

    @Test
    void onlyProcWritesWhatTheProcessMayOnlyRead() throws LinuxException {
        try (Fd zero = Fd.open("/dev/zero", Fd.O_RDONLY);
                ProcessMemory direct = ProcessMemory.ofProcess(SELF);
                ProcessMemory proc = ProcessMemory.throughProc(SELF, true)) {
            MemorySegment page = zero.mmap(0, PAGE, Mman.PROT_READ, Mman.MAP_PRIVATE, arena);
            assertThatThrownBy(() -> direct.write(page.address(), bytes(7)))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
            assertThat(proc.write(page.address(), bytes(7))).isEqualTo(1);
            assertThat(page.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aChildsMemoryIsReadUntilItEnds(boolean proc) throws Exception {
        Process child = new ProcessBuilder("sleep", "60").start();
        try (ProcessMemory memory = open(proc, child.pid())) {
            // The program's first mapping starts with ELF's magic, once it runs.
            MemorySegment magic = arena.allocate(4);
            String maps = Files.readString(Path.of("/proc/" + child.pid() + "/maps"));
            while (!maps.contains("sleep") && child.isAlive()) {
                maps = Files.readString(Path.of("/proc/" + child.pid() + "/maps"));
            }
            String line = maps.lines()
                    .filter(l -> l.contains("sleep") || l.contains("coreutils"))
                    .findFirst()
                    .orElseThrow();
            long address = Long.parseLong(line.substring(0, line.indexOf('-')), 16);
            memory.readFully(address, magic);
            assertThat(magic.toArray(ValueLayout.JAVA_BYTE)).containsExactly(0x7f, 'E', 'L', 'F');
            child.destroyForcibly();
            child.waitFor();
            assertThatThrownBy(() -> memory.read(address, magic))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH))
                    .hasMessageContaining("gone");
        } finally {
            child.destroyForcibly();
        }
    }

    @Test
    void aMissingProcessIsSaidSo() {
        assertThatThrownBy(() -> ProcessMemory.throughProc(MISSING_PID, false))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
        assertThatThrownBy(() -> ProcessMemory.ofProcess(MISSING_PID).read(PAGE, arena.allocate(1)))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE, 1L << 31, Long.MAX_VALUE})
    void whatIsNoPidIsRefused(long pid) {
        assertThatThrownBy(() -> ProcessMemory.ofProcess(pid)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ProcessMemory.throughProc(pid, false)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void badBuffersAndAddressesAreRefused() {
        try (ProcessMemory memory = ProcessMemory.ofProcess(SELF)) {
            assertThatThrownBy(() -> memory.read(PAGE, MemorySegment.ofArray(new byte[4])))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("native");
            assertThatThrownBy(() -> memory.read(PAGE, arena.allocate(4).asReadOnly()))
                    .hasMessageContaining("read-only");
            assertThatThrownBy(() -> memory.read(-1, arena.allocate(4))).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> memory.write(Long.MAX_VALUE, arena.allocate(4)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
