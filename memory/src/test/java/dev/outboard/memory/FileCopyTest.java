package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
