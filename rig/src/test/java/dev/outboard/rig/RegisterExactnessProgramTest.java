package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.memory.RegisterAccess;
import dev.outboard.memory.Registers;
import dev.outboard.rig.RegisterExactnessProgram.Access;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RegisterExactnessProgramTest {
    private static final List<Integer> ALL_WIDTHS = List.of(1, 2, 4, 8);

    @Test
    void itsListIsWhatRegistersWereAskedFor() {
        List<Access> accesses = new ArrayList<>();
        RegisterAccess device = new RegisterAccess() {
            @Override
            public long read(long offset, int widthBytes) {
                accesses.add(Access.read(offset, widthBytes));
                return 0;
            }

            @Override
            public void write(long offset, int widthBytes, long value) {
                accesses.add(Access.write(offset, widthBytes, value));
            }
        };
        RegisterExactnessProgram program = new RegisterExactnessProgram(0x80, ALL_WIDTHS, 3);
        program.run(Registers.unmapped("device", 0x100, device, List.of(), () -> {}));
        assertThat(accesses).isEqualTo(program.expected());
    }

    @Test
    void itsListHasEveryAccessOfEveryRound() {
        RegisterExactnessProgram program = new RegisterExactnessProgram(0, List.of(4), 10);
        // 1 unused read, 2 reads, 2 writes, 4 adjacent writes, 1 write and 1 read.
        assertThat(program.expected()).hasSize(10 * (1 + 2 + 2 + 4 + 2));
        assertThat(program.expected().getFirst()).isEqualTo(Access.read(0, 4));
    }
}
