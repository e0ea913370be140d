package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileCopyTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4095, 4096, 1 << 20, (1 << 20) + 1, 5_000_000})
    void theCopyIsTheSameAndSaysHowFarItIs(int length) throws IOException {
        byte[] content = new byte[length];
        new Random(length).nextBytes(content);
        Path from = Files.write(directory.resolve("from"), content);
        Path to = Files.write(directory.resolve("to"), new byte[6_000_000]);
        List<Long> progress = new ArrayList<>();
        long copied = FileCopy.copy(from, to, (done, total) -> {
            assertThat(total).isEqualTo(length);
            progress.add(done);
        });
        assertThat(copied).isEqualTo(length);
        assertThat(to).hasBinaryContent(content);
        assertThat(progress).isSorted().doesNotHaveDuplicates();
        assertThat(progress.isEmpty() ? 0 : progress.getLast()).isEqualTo(length);
    }

    @Test
    void holesStayHoles() throws IOException {
        Path from = directory.resolve("from");
        Path to = Files.write(directory.resolve("to"), new byte[100]);
        try (Fd file = Fd.open(from.toString(), Fd.O_RDWR | Fd.O_CREAT, 0600);
                Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(100_000).fill((byte) 7);
            file.pwrite(data, 1 << 20);
            file.pwrite(data, 30 << 20);
            file.truncate(40 << 20);
        }
        List<Long> progress = new ArrayList<>();
        FileCopy.copy(from, to, (done, total) -> progress.add(done));
        assertThat(progress).isSorted().endsWith(40L << 20);
        assertThat(Files.mismatch(from, to)).isEqualTo(-1);
        try (Fd file = Fd.open(from.toString(), Fd.O_RDONLY);
                Fd copy = Fd.open(to.toString(), Fd.O_RDONLY)) {
            assertThat(extents(copy)).isEqualTo(extents(file));
        }
    }

    private static List<Long> extents(Fd file) throws LinuxException {
        List<Long> extents = new ArrayList<>();
        for (long at = file.nextData(0); at >= 0; at = file.nextData(extents.getLast())) {
            extents.add(at);
            extents.add(file.nextHole(at));
        }
        return extents;
    }

    @Test
    void aFileWithNothingButAHoleIsCopied() throws IOException {
        Path from = directory.resolve("from");
        try (Fd file = Fd.open(from.toString(), Fd.O_RDWR | Fd.O_CREAT, 0600)) {
            file.truncate(5 << 20);
        }
        Path to = directory.resolve("to");
        assertThat(FileCopy.copy(from, to, (done, total) -> {})).isEqualTo(5 << 20);
        assertThat(to).hasBinaryContent(new byte[5 << 20]);
    }

    @Test
    void nobodyMayReadTheCopyWhoMayNotReadTheSource() throws IOException {
        Path from = Files.write(directory.resolve("from"), new byte[10]);
        Files.setPosixFilePermissions(from, PosixFilePermissions.fromString("rw-------"));
        Path to = directory.resolve("to");
        FileCopy.copy(from, to, (done, total) -> {});
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(to)))
                .isEqualTo("rw-------");
    }

    @Test
    void aFileIsNotCopiedOntoItself() throws IOException {
        Path file = Files.write(directory.resolve("file"), new byte[10]);
        Path link = Files.createSymbolicLink(directory.resolve("link"), file);
        MappingBadInputTest.assertBad(() -> FileCopy.copy(file, link, (done, total) -> {}), "same file");
        assertThat(file).hasSize(10);
    }

    @Test
    void whatHasNoEndIsNotCopied() {
        MappingBadInputTest.assertBad(
                () -> FileCopy.copy(Path.of("/dev/zero"), directory.resolve("to"), (done, total) -> {}),
                "where it ends");
    }

    @Test
    void aFileThatIsTruncatedMeanwhileIsAnError() throws IOException {
        Path from = Files.write(directory.resolve("from"), new byte[5 << 20]);
        assertThatExceptionOfType(LinuxException.class)
                .isThrownBy(() -> FileCopy.copy(from, directory.resolve("to"), (done, total) -> truncate(from)))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
    }

    private static void truncate(Path file) {
        try (Fd fd = Fd.open(file.toString(), Fd.O_RDWR)) {
            fd.truncate(100);
        } catch (LinuxException e) {
            throw new AssertionError(e);
        }
    }
}
