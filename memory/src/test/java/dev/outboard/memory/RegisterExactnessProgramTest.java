package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegisterExactnessProgramTest {
    private static final List<Integer> ALL_WIDTHS = List.of(1, 2, 4, 8);

    @TempDir
    Path directory;

    @Test
    void itsListIsWhatRegistersWereAskedFor() {
        RecordingAccess device = new RecordingAccess();
        RegisterExactnessProgram program = new RegisterExactnessProgram(0x80, ALL_WIDTHS, 3);
        program.run(Registers.unmapped("device", 0x100, device, List.of(), () -> {}));
        assertThat(device.accesses())
                .containsExactlyElementsOf(program.expected().toList());
    }

    @Test
    void itsListHasEveryAccessOfEveryRound() {
        RegisterExactnessProgram program = new RegisterExactnessProgram(0, List.of(4), 10);
        // 1 unused read, 2 reads, 2 writes, 4 adjacent writes, 1 write and 1 read.
        assertThat(program.expected()).hasSize(10 * (1 + 2 + 2 + 4 + 2));
        assertThat(program.expected().limit(2)).allMatch(access -> !access.write());
    }

    @Test
    void itReadsTheSameMappedAndUnmapped() {
        RegisterExactnessProgram program = new RegisterExactnessProgram(8, ALL_WIDTHS, 5);
        RecordingAccess device = new RecordingAccess();
        long unmapped = program.run(Registers.unmapped("device", 64, device, List.of(), () -> {}));
        try (Arena arena = Arena.ofConfined()) {
            assertThat(program.run(Registers.mapped("memory", arena.allocate(64, 8), () -> {})))
                    .isEqualTo(unmapped);
        }
    }

    @Test
    void mainRunsOnAFile() throws IOException {
        Path file = directory.resolve("registers");
        Files.write(file, new byte[4096]);
        RegisterExactnessProgram.main(file.toString(), "0x80", "4,8", "10", "100");
        try (Fd fd = Fd.open(file.toString(), Fd.O_RDONLY);
                Arena arena = Arena.ofConfined()) {
            var mapping = fd.mmap(0, 4096, Mman.PROT_READ, Mman.MAP_SHARED, arena);
            assertThat(mapping.get(ValueLayout.JAVA_LONG, 0x80)).isEqualTo(3);
            assertThat(mapping.get(ValueLayout.JAVA_LONG, 0x88)).isEqualTo(2);
        }
    }
}
