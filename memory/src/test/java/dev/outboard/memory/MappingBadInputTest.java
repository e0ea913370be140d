package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Zero, negative, unaligned, overflowing and past the end. */
class MappingBadInputTest {
    private static final long PAGE = Mman.pageBytes();

    @TempDir
    Path directory;

    static void assertBad(ThrowingCallable call, String advice) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessageContaining(advice);
    }

    private static void assertOutside(ThrowingCallable call) {
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(call);
    }

    @Test
    void offsetsAndLengthsOfMappings() throws IOException {
        Path file = Files.write(directory.resolve("file"), new byte[100]);
        assertBad(() -> Mapping.file(file).offset(-1), "give 0 or more");
        assertBad(() -> Mapping.file(file).length(-1), "give more than 0, or 0 for all");
        assertBad(() -> Mapping.file(file).offset(100).map(), "past the end");
        assertBad(() -> Mapping.file(file).offset(Long.MAX_VALUE).map(), "past the end");
        assertBad(() -> Mapping.file(file).offset(50).length(51).map(), "past the end");
        assertBad(() -> Mapping.file(file).offset(50).length(Long.MAX_VALUE).map(), "past the end");
        assertBad(() -> Mapping.anonymous(0), "more than 0");
        assertBad(() -> Mapping.anonymous(-1), "more than 0");
        assertBad(() -> Mapping.anonymous(1).length(0), "more than 0");
        assertBad(() -> Mapping.anonymous(1).offset(1), "no offset");
        assertBad(() -> Mapping.memfd("zero", 0), "more than 0");
        assertBad(() -> Mapping.memfd("small", 10).offset(10).map(), "past the end");
        assertBad(() -> Mapping.file(Path.of("/dev/zero")).map(), "give a length");
        assertBad(
                () -> Mapping.file(Path.of("/dev/zero"))
                        .offset(PAGE)
                        .length(Long.MAX_VALUE)
                        .map(),
                "past the highest");
        Path empty = Files.createFile(directory.resolve("empty"));
        assertBad(() -> Mapping.file(empty).map(), "empty");
    }

    @Test
    void sizesOfHugePages() {
        for (long bytes : new long[] {0, -1, PAGE, 3 << 20, Long.MIN_VALUE}) {
            assertBad(() -> Mapping.anonymous(PAGE).hugePages(bytes), "/sys/kernel/mm/hugepages");
        }
        assertBad(() -> Mapping.anonymous(PAGE).hugePages(2 << 20).map(), "give a multiple");
        assertBad(() -> Mapping.file(directory).hugePages(2 << 20), "hugetlbfs");
    }

    @Test
    void rangesOfAMapping() throws IOException {
        try (Mapping mapping = Mapping.anonymous(3 * PAGE).map()) {
            for (long[] range : new long[][] {
                {-1, 1}, {0, -1}, {0, 3 * PAGE + 1}, {3 * PAGE, 1}, {Long.MAX_VALUE, 1}, {1, Long.MAX_VALUE}
            }) {
                assertOutside(() -> mapping.sync(range[0], range[1]));
                assertOutside(() -> mapping.lock(range[0], range[1]));
                assertOutside(() -> mapping.unlock(range[0], range[1]));
                assertOutside(() -> mapping.advise(Advice.NORMAL, range[0], range[1]));
            }
            assertBad(() -> mapping.advise(Advice.DONT_NEED, 1, PAGE), "whole pages");
            assertBad(() -> mapping.advise(Advice.DONT_NEED, 0, 1), "whole pages");
            mapping.advise(Advice.DONT_NEED, PAGE, 0);
            mapping.sync(3 * PAGE, 0);
        }
    }

    @Test
    void lengthsToRemapTo() throws IOException {
        try (Mapping mapping = Mapping.anonymous(PAGE).map();
                Mapping memfd = Mapping.memfd("remapped", PAGE).map();
                Mapping shared = Mapping.anonymous(PAGE).shared().map()) {
            for (Mapping each : new Mapping[] {mapping, memfd, shared}) {
                assertBad(() -> each.remap(0), "more than 0");
                assertBad(() -> each.remap(-1), "more than 0");
                assertBad(() -> each.remap(Long.MIN_VALUE), "more than 0");
                assertThat(each.segment().byteSize()).isEqualTo(PAGE);
            }
            assertThatExceptionOfType(UnsupportedOperationException.class)
                    .isThrownBy(() -> shared.remap(2 * PAGE))
                    .withMessageContaining("memfd");
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> mapping.remap(Long.MAX_VALUE));
            assertThat(mapping.segment().byteSize()).isEqualTo(PAGE);
        }
    }

    @Test
    void placesInReservations() throws IOException {
        assertBad(() -> Reservation.reserve(0), "at least a page");
        assertBad(() -> Reservation.reserve(-PAGE), "multiple of the page size");
        assertBad(() -> Reservation.reserve(PAGE + 1), "multiple of the page size");
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> Reservation.reserve(1L << 60));
        try (Reservation reservation = Reservation.reserve(4 * PAGE);
                Fd memfd = Fd.memfd("placed", 2 * PAGE)) {
            assertOutside(() -> Mapping.of(memfd).placeIn(reservation, 3 * PAGE));
            assertOutside(() -> Mapping.of(memfd).placeIn(reservation, 4 * PAGE));
            assertBad(() -> Mapping.of(memfd).placeIn(reservation, -PAGE), "multiple of the page size");
            assertBad(() -> Mapping.of(memfd).placeIn(reservation, 1), "multiple of the page size");
            assertBad(() -> Mapping.of(memfd).offset(1).placeIn(reservation, 0), "multiple of the page size");
            assertBad(() -> Mapping.of(memfd).length(1).placeIn(reservation, 0), "multiple of the page size");
            assertOutside(() -> reservation.view(-1, 1));
            assertOutside(() -> reservation.view(0, 4 * PAGE + 1));
            assertOutside(() -> reservation.view(Long.MAX_VALUE, 1));
        }
    }
}
