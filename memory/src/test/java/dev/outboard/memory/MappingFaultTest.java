package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Files that somebody truncates while they are mapped. */
class MappingFaultTest {
    private static final long PAGE = Mman.pageBytes();
    /** Enough for C2, whose code learns of a fault later than the interpreter does. */
    private static final int WARM_UP = 30_000;

    @Test
    void everyMethodThatTouchesTheFileExplainsTheFault() throws IOException {
        byte[] some = {1, 2, 3};
        Map<String, MappedFileCall> calls = new TreeMap<>(Map.ofEntries(
                Map.entry("get", file -> file.get(PAGE + 1)),
                Map.entry("put", file -> file.put(PAGE + 1, 1)),
                Map.entry("slice", file -> file.slice(PAGE, PAGE + 9)),
                Map.entry("slice with step", file -> file.slice(PAGE, PAGE + 9, 3)),
                Map.entry("putSlice", file -> file.putSlice(PAGE, PAGE + 3, some)),
                Map.entry("putSlice with step", file -> file.putSlice(PAGE, PAGE + 6, 2, some)),
                Map.entry("find", file -> file.find(some, PAGE, 2 * PAGE)),
                Map.entry("find, short", file -> file.find(some, PAGE + 1, PAGE + 9)),
                Map.entry("rfind", file -> file.rfind(some, PAGE, 2 * PAGE)),
                Map.entry("move to", file -> file.move(PAGE, 0, 9)),
                Map.entry("move from", file -> file.move(0, PAGE, 9)),
                Map.entry("read", file -> {
                    file.seek(PAGE);
                    file.read(5);
                }),
                Map.entry("readByte", file -> {
                    file.seek(PAGE);
                    file.readByte();
                }),
                Map.entry("readLine", file -> {
                    file.seek(PAGE);
                    file.readLine();
                }),
                Map.entry("write", file -> {
                    file.seek(PAGE);
                    file.write(some);
                }),
                Map.entry("writeByte", file -> {
                    file.seek(PAGE);
                    file.writeByte(1);
                })));
        for (Map.Entry<String, MappedFileCall> call : calls.entrySet()) {
            try (Fd memfd = Fd.memfd("truncated", 2 * PAGE);
                    MappedFile file = MappedFile.of(memfd, MappedFile.Access.WRITE, 0, 0)) {
                for (int i = 0; i < WARM_UP; i++) {
                    call.getValue().on(file);
                }
                memfd.truncate(PAGE);
                for (int i = 0; i < 10; i++) {
                    assertThatExceptionOfType(MappingFaultException.class)
                            .as(call.getKey())
                            .isThrownBy(() -> call.getValue().on(file))
                            .withMessageContaining("memfd:truncated")
                            .withMessageContaining("truncated to " + PAGE + " bytes");
                }
                assertThat(file.get(0)).as("what is still there").isZero();
                file.resize(PAGE);
                assertThat(file.find(new byte[] {9})).isEqualTo(-1);
            }
        }
    }

    /** The instructions of a vector loop are long and many, and the JVM goes on behind each that faulted. */
    @Test
    void aSearchThroughManyPagesExplainsTheFault() throws IOException {
        byte[] sought = "needle in the hay".getBytes(StandardCharsets.US_ASCII);
        byte[] one = {1};
        List<MappedFileCall> calls = List.of(
                file -> file.find(sought, PAGE / 2, 60 * PAGE),
                file -> file.rfind(sought, PAGE / 2, 60 * PAGE),
                file -> file.find(one, PAGE / 2, 60 * PAGE),
                file -> file.rfind(one, PAGE / 2, 60 * PAGE));
        for (MappedFileCall call : calls) {
            try (Fd memfd = Fd.memfd("truncated", 64 * PAGE);
                    MappedFile file = MappedFile.of(memfd, MappedFile.Access.WRITE, 0, 0)) {
                for (int i = 0; i < WARM_UP; i++) {
                    call.on(file);
                }
                for (long end = 60 * PAGE; end > PAGE; end -= PAGE) {
                    memfd.truncate(end - PAGE);
                    assertThatExceptionOfType(MappingFaultException.class).isThrownBy(() -> call.on(file));
                }
            }
        }
    }

    private interface MappedFileCall {
        void on(MappedFile file) throws IOException;
    }

    @Test
    void accessesToASegmentAreExplained() throws IOException {
        try (Fd memfd = Fd.memfd("segment", 2 * PAGE);
                Mapping mapping = Mapping.of(memfd).map()) {
            MemorySegment segment = mapping.segment();
            for (int i = 0; i < WARM_UP; i++) {
                assertThat((int) mapping.access(() -> segment.get(JAVA_BYTE, PAGE)))
                        .isZero();
            }
            memfd.truncate(10);
            for (int i = 0; i < WARM_UP; i++) {
                assertThatExceptionOfType(MappingFaultException.class)
                        .isThrownBy(() -> mapping.access(() -> segment.get(JAVA_BYTE, PAGE)));
            }
            assertThatExceptionOfType(MappingFaultException.class)
                    .isThrownBy(() -> mapping.access(() -> segment.mismatch(segment.asSlice(PAGE))))
                    .withMessageContaining("truncated to 10 bytes");
        }
    }

    @Test
    void systemCallsOnATruncatedFileAreErrorNumbers() throws IOException {
        try (Fd memfd = Fd.memfd("calls", 2 * PAGE);
                Fd other = Fd.memfd("other", PAGE);
                Mapping mapping = Mapping.of(memfd).readWrite().map()) {
            memfd.truncate(0);
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(mapping::populate)
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> mapping.lock(0, PAGE))
                    .withMessageContaining("not there any more");
            // The kernel itself reads here, not the C library: FileCopy rests on that.
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> other.pwrite(mapping.segment(), 0))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
            mapping.sync();
        }
    }
}
