package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MappingTest {
    private static final long PAGE = Mman.pageBytes();
    private static final long HUGE_PAGE = 2 << 20;

    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void createFile() throws IOException {
        byte[] content = new byte[(int) (2 * PAGE + 10)];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (i / 100);
        }
        file = Files.write(directory.resolve("file"), content);
    }

    @Test
    void aFileIsMappedToItsEnd() throws IOException {
        try (Mapping mapping = Mapping.file(file).map()) {
            assertThat(mapping.length()).isEqualTo(2 * PAGE + 10);
            assertThat(mapping.segment().toArray(JAVA_BYTE)).isEqualTo(Files.readAllBytes(file));
            assertThat(mapping.segment().isReadOnly()).isTrue();
        }
        try (Mapping mapping = Mapping.file(file).offset(PAGE).length(7).map()) {
            assertThat(mapping.segment().byteSize()).isEqualTo(7);
            assertThat(mapping.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) (PAGE / 100));
        }
    }

    @Test
    void anOffsetNeedNotBeThatOfAPage() throws IOException {
        try (Mapping mapping =
                Mapping.file(file).readWrite().offset(PAGE + 1234).map()) {
            assertThat(mapping.length()).isEqualTo(PAGE + 10 - 1234);
            mapping.segment().set(JAVA_BYTE, 0, (byte) 99);
            mapping.sync(0, 1);
            mapping.lock(0, 1);
            mapping.unlock(0, 1);
            mapping.advise(Advice.SEQUENTIAL, 0, mapping.length());
            mapping.advise(Advice.WILL_NEED, PAGE - 1234, 10);
            mapping.remap(100);
            assertThat(mapping.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 99);
        }
        assertThat(Files.readAllBytes(file)[(int) PAGE + 1234]).isEqualTo((byte) 99);
    }

    @Test
    void sharedWritesReachTheFileAndCopiesDoNot() throws IOException {
        try (Mapping shared = Mapping.file(file).readWrite().map();
                Mapping copy = Mapping.file(file).readWrite().copyOnWrite().map()) {
            copy.segment().set(JAVA_BYTE, 5, (byte) 77);
            shared.segment().set(JAVA_BYTE, 6, (byte) 78);
            shared.sync();
        }
        assertThat(Files.readAllBytes(file)).startsWith(0, 0, 0, 0, 0, 0, 78, 0);
    }

    @Test
    void aFileBeyondFourGibIsMappedAsAWhole() throws IOException {
        long length = (5L << 30) + 12;
        try (Fd sparse = Fd.memfd("sparse", length);
                Mapping mapping = Mapping.of(sparse).readWrite().map();
                Mapping end = Mapping.of(sparse).offset((5L << 30)).map()) {
            for (long at : List.of(0L, (2L << 30) + 4, (4L << 30) + 4, length - 4)) {
                mapping.segment().set(JAVA_INT.withByteAlignment(1), at, (int) (at >> 2) + 1);
            }
            assertThat(mapping.segment().get(JAVA_INT, (4L << 30) + 4)).isEqualTo((1 << 30) + 2);
            assertThat(end.length()).isEqualTo(12);
            assertThat(end.segment().get(JAVA_INT, 8)).isEqualTo((int) ((length - 4) >> 2) + 1);
        }
    }

    @Test
    void anonymousMemoryGrowsAndShrinksAndKeepsItsContent() throws IOException {
        try (Mapping memory = Mapping.anonymous(PAGE).map()) {
            MemorySegment before = memory.segment();
            before.set(JAVA_INT, 8, 42);
            memory.remap(64 << 20);
            assertThatIllegalStateException().isThrownBy(() -> before.get(JAVA_INT, 8));
            assertThat(memory.segment().get(JAVA_INT, 8)).isEqualTo(42);
            memory.segment().set(JAVA_INT, (64 << 20) - 4, 1);
            memory.remap(100);
            assertThat(memory.length()).isEqualTo(100);
            assertThat(memory.segment().get(JAVA_INT, 8)).isEqualTo(42);
        }
    }

    @Test
    void aMemfdGrowsWithItsMapping() throws IOException {
        try (Mapping memory = Mapping.memfd("grows", PAGE).map()) {
            memory.remap(10 * PAGE);
            memory.segment().set(JAVA_INT, 10 * PAGE - 4, 3);
            memory.remap(10 * PAGE - 2);
            memory.remap(20 * PAGE);
            assertThat(memory.segment().get(JAVA_INT, 10 * PAGE - 4)).isEqualTo(3);
            memory.segment().set(JAVA_INT, 20 * PAGE - 4, 3);
        }
    }

    @Test
    void remappingAFileFollowsItsLength() throws IOException {
        try (Fd memfd = Fd.memfd("longer", PAGE);
                Mapping mapping = Mapping.of(memfd).map()) {
            memfd.truncate(3 * PAGE);
            mapping.remap(0);
            assertThat(mapping.segment().byteSize()).isEqualTo(3 * PAGE);
            MappingBadInputTest.assertBad(() -> mapping.remap(3 * PAGE + 1), "past the end");
            assertThat(mapping.segment().byteSize()).isEqualTo(3 * PAGE);
        }
    }

    @Test
    void protectionChangesWhatSegmentsAllow() throws IOException {
        try (Mapping memory = Mapping.anonymous(PAGE).map()) {
            MemorySegment writable = memory.segment();
            memory.protect(Protection.READ_ONLY);
            assertThatIllegalStateException().isThrownBy(() -> writable.set(JAVA_INT, 0, 1));
            assertThat(memory.segment().isReadOnly()).isTrue();
            memory.protect(Protection.NONE);
            assertThatIllegalStateException().isThrownBy(memory::segment).withMessageContaining("no access");
            memory.protect(Protection.READ_WRITE_EXECUTE);
            memory.segment().set(JAVA_INT, 0, 1);
            assertThat(KernelMaps.protectionAt(memory.segment().address())).isEqualTo("rwxp");
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyProtectionIsWhatTheKernelSees(Protection protection) throws IOException {
        try (Mapping memory = Mapping.anonymous(PAGE).protection(protection).map()) {
            assertThat(memory.protection()).isEqualTo(protection);
            if (protection != Protection.NONE) {
                String bits = KernelMaps.protectionAt(memory.segment().address());
                assertThat(bits.contains("w")).isEqualTo(protection.isWritable());
                assertThat(bits.contains("x")).isEqualTo(protection.name().endsWith("EXECUTE"));
            }
        }
    }

    @Test
    void whatTheKernelRefusesIsALinuxException() throws IOException {
        try (Fd readOnly = Fd.open(file.toString(), Fd.O_RDONLY)) {
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> Mapping.of(readOnly).readWrite().map())
                    .withMessageContaining(file.toString())
                    .withMessageContaining("not open for READ_WRITE, shared")
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EACCES));
            try (Mapping mapping = Mapping.of(readOnly).map()) {
                assertThatExceptionOfType(LinuxException.class)
                        .isThrownBy(() -> mapping.protect(Protection.READ_WRITE))
                        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EACCES));
                assertThat(mapping.protection()).isEqualTo(Protection.READ_ONLY);
                assertThat(mapping.segment().get(JAVA_BYTE, 100)).isEqualTo((byte) 1);
            }
            Mapping.of(readOnly).readWrite().copyOnWrite().map().close();
        }
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> Mapping.file(directory.resolve("none")).map())
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> Mapping.anonymous(1L << 50).map())
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
    }

    @Test
    void devicesAreMappedInTheLengthThatIsGiven() throws IOException {
        try (Mapping zero = Mapping.file(Path.of("/dev/zero"))
                .readWrite()
                .copyOnWrite()
                .length(PAGE)
                .map()) {
            assertThat(zero.segment().get(JAVA_INT, 0)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyAdviceIsTakenOrRefusedByTheKernel(Advice advice) throws IOException {
        try (Mapping memory = Mapping.memfd("advised", 4 * PAGE).map()) {
            memory.segment().set(JAVA_INT, 0, 5);
            try {
                memory.advise(advice, 0, memory.length());
            } catch (LinuxException e) {
                assertThat(e.errno()).as(e.getMessage()).isIn(Errno.EINVAL, Errno.EPERM);
                assertThat(advice)
                        .isIn(
                                Advice.FREE,
                                Advice.HUGE_PAGES,
                                Advice.NO_HUGE_PAGES,
                                Advice.POPULATE_READ,
                                Advice.POPULATE_WRITE);
            }
            assertThat(memory.segment().get(JAVA_INT, 0)).isEqualTo(advice == Advice.REMOVE ? 0 : 5);
        }
    }

    @Test
    void pagesArePopulatedAndLocked() throws IOException {
        try (Mapping populated = Mapping.anonymous(8 * PAGE).populate().map();
                Mapping locked = Mapping.anonymous(8 * PAGE).map();
                Mapping later = Mapping.anonymous(8 * PAGE).map()) {
            locked.lock(0, 8 * PAGE);
            later.populate();
            for (Mapping mapping : List.of(populated, locked, later)) {
                assertThat(smaps(mapping, "Rss")).isEqualTo(8 * PAGE);
            }
            assertThat(smaps(locked, "Locked")).isEqualTo(8 * PAGE);
            locked.unlock(0, 8 * PAGE);
            assertThat(smaps(locked, "Locked")).isZero();
        }
    }

    @Test
    void hugePagesAreUsedOrTheirLackIsExplained() throws IOException {
        for (MappingOptions options : List.of(Mapping.anonymous(HUGE_PAGE), Mapping.memfd("huge", HUGE_PAGE))) {
            try (Mapping mapping = options.hugePages(HUGE_PAGE).map()) {
                mapping.segment().set(JAVA_INT, HUGE_PAGE - 4, 1);
                assertThat(smaps(mapping, "KernelPageSize")).isEqualTo(HUGE_PAGE);
            } catch (LinuxException e) {
                assertThat(e).hasMessageContaining("vm.nr_hugepages");
            }
        }
    }

    @Test
    void closedMappingsRefuseEverything() throws IOException {
        Mapping mapping = Mapping.file(file).map();
        MemorySegment segment = mapping.segment();
        mapping.close();
        mapping.close();
        assertThat(mapping.isOpen()).isFalse();
        assertThatIllegalStateException().isThrownBy(() -> segment.get(JAVA_BYTE, 0));
        assertThatIllegalStateException().isThrownBy(mapping::segment).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(mapping::sync);
        assertThatIllegalStateException().isThrownBy(() -> mapping.protect(Protection.NONE));
        assertThatIllegalStateException().isThrownBy(() -> mapping.lock(0, 1));
        assertThatIllegalStateException().isThrownBy(() -> mapping.unlock(0, 1));
        assertThatIllegalStateException().isThrownBy(() -> mapping.advise(Advice.NORMAL, 0, PAGE));
        assertThatExceptionOfType(Exception.class)
                .isThrownBy(() -> mapping.remap(PAGE))
                .withMessageContaining("closed");
    }

    @Test
    void tenThousandRoundsLeaveNothingBehind() throws IOException {
        rounds(100);
        long descriptors = count(Path.of("/proc/self/fd"));
        rounds(10_000);
        assertThat(count(Path.of("/proc/self/fd"))).isEqualTo(descriptors);
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            assertThat(maps.filter(line -> line.contains(file.toString()) || line.contains("memfd:round")))
                    .isEmpty();
        }
    }

    private void rounds(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            try (Mapping mapping = Mapping.file(file).readWrite().map()) {
                mapping.segment().set(JAVA_INT, 0, i);
            }
            if (i % 10 == 0) {
                try (MappedFile mapped = MappedFile.open(file, MappedFile.Access.WRITE);
                        Mapping memory = Mapping.memfd("round", PAGE).map()) {
                    mapped.write(new byte[] {1, 2, 3});
                    mapped.resize(PAGE + i % 3 + 1);
                    memory.remap(2 * PAGE);
                }
                MappingBadInputTest.assertBad(
                        () -> Mapping.file(file).offset(1L << 40).map(), "past the end");
            }
        }
    }

    private static long count(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.count();
        }
    }

    /** The kernel joins like mappings that are neighbours; what is not dumped is not like those that are. */
    private static long smaps(Mapping mapping, String name) throws IOException {
        mapping.advise(Advice.DONT_DUMP, 0, mapping.length());
        try {
            return KernelMaps.figureAt(mapping.segment().address(), name);
        } finally {
            mapping.advise(Advice.DO_DUMP, 0, mapping.length());
        }
    }
}
