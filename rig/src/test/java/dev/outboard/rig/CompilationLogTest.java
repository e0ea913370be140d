package dev.outboard.rig;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class CompilationLogTest {
    @Test
    void onlyWhatIsCompiledAllTheTimeCounts() {
        String output = """
                  101  210    b  3       a.b.Loops::first (24 bytes)
                  102  211 %  b  4       a.b.Loops::looped @ 2 (24 bytes)
                  103  212    b  4       a.b.Loops::first (24 bytes)
                  104  210       3       a.b.Loops::first (24 bytes)   made not entrant: not used
                  105  213    b  4       a.b.Loops::second (24 bytes)
                  105  214    b  4       a.b.Loops::third (24 bytes)
                  106  215  s!b  4       a.b.Other::first (24 bytes)
                  107  213       4       a.b.Loops::second (24 bytes)   made not entrant: uncommon trap
                begin
                  108  214       4       a.b.Loops::third (24 bytes)   made not entrant: uncommon trap
                  109  216    b  4       a.b.Loops::second (24 bytes)
                end
                """;
        assertThat(CompilationLog.tiers(output, "Loops", "begin", "end")).isEqualTo(Map.of("first", 4));
    }
}
