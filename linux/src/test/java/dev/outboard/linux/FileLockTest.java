package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FileLockTest {
    @TempDir
    Path directory;

    private Fd one;
    private Fd other;

    @BeforeEach
    void openTwice() throws IOException {
        String file = Files.createFile(directory.resolve("file")).toString();
        one = Fd.open(file, Fd.O_RDWR);
        other = Fd.open(file, Fd.O_RDWR);
    }

    @AfterEach
    void close() {
        one.close();
        other.close();
    }

    @ParameterizedTest
    @CsvSource({
        "100, 50, 149, 1, true",
        "100, 50, 150, 1, false",
        "100, 50, 99, 1, false",
        "100, 50, 0, 101, true",
        "0, 9223372036854775807, 9223372036854775806, 1, true",
        "4611686018427387904, 4096, 4611686018427387903, 1, false",
        "4611686018427387904, 4096, 4611686018427391999, 8, true"
    })
    void overlappingRangesCollide(long start, long length, long otherStart, long otherLength, boolean collide)
            throws IOException {
        assertThat(FileLock.tryExclusive(one, start, length)).isTrue();
        assertThat(FileLock.isHeldElsewhere(other, otherStart, otherLength)).isEqualTo(collide);
        assertThat(FileLock.tryExclusive(other, otherStart, otherLength)).isEqualTo(!collide);
        assertThat(FileLock.tryShared(other, otherStart, otherLength)).isEqualTo(!collide);
    }

    @Test
    void sharedLocksExcludeExclusiveOnesAlone() throws IOException {
        assertThat(FileLock.tryShared(one, 0, 1)).isTrue();
        assertThat(FileLock.tryExclusive(other, 0, 1)).isFalse();
        assertThat(FileLock.tryShared(other, 0, 1)).isTrue();
        assertThat(FileLock.tryExclusive(one, 0, 1)).isFalse();
        FileLock.unlock(other, 0, 1);
        assertThat(FileLock.tryExclusive(one, 0, 1)).isTrue();
    }

    @Test
    void closingUnlocksUnlessADuplicateLives() throws IOException {
        assertThat(FileLock.tryExclusive(one, 0, 1)).isTrue();
        try (Fd duplicate = one.duplicate()) {
            one.close();
            assertThat(FileLock.isHeldElsewhere(other, 0, 1)).isTrue();
            assertThat(duplicate.isOpen()).isTrue();
        }
        assertThat(FileLock.isHeldElsewhere(other, 0, 1)).isFalse();
    }

    @Test
    void anybodyWhoMayReadMayAsk() throws IOException {
        assertThat(FileLock.tryExclusive(one, 7, 1)).isTrue();
        try (Fd reader = Fd.open(directory.resolve("file").toString(), Fd.O_RDONLY)) {
            assertThat(FileLock.isHeldElsewhere(reader, 7, 1)).isTrue();
            assertThat(FileLock.isHeldElsewhere(reader, 8, 1)).isFalse();
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> FileLock.tryExclusive(reader, 8, 1))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBADF));
        }
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "0, 0", "0, -1", "9223372036854775807, 1", "1, 9223372036854775807"})
    void whatIsNoRangeIsRefused(long start, long length) {
        assertThatThrownBy(() -> FileLock.tryExclusive(one, start, length))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("length at least 1");
        assertThatThrownBy(() -> FileLock.tryShared(one, start, length)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> FileLock.unlock(one, start, length)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> FileLock.isHeldElsewhere(one, start, length))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void permissionsAreSetWhateverTheUmask() throws IOException {
        one.changeMode(0666);
        assertThat((Integer) Files.getAttribute(directory.resolve("file"), "unix:mode") & 07777)
                .isEqualTo(0666);
    }
}
