package dev.outboard.emulation.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.emulation.interpose.Region;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FaultPlanTest {
    private static FaultPlan parse(String... lines) throws FaultSyntaxException {
        return FaultPlan.parse("rules", FaultPlan.HEADER + "\n" + String.join("\n", lines));
    }

    private static FaultRule rule(String line) throws FaultSyntaxException {
        return parse("names bar0 nvme", line).rules().getFirst();
    }

    @Test
    void aRuleIsReadInAllItsParts() throws FaultSyntaxException {
        FaultRule rule =
                rule("on read bar0 0x10-0x1f nth 3 every 2 count 5 probability 0.5 after 20ms do flip 0xff # why");

        assertThat(rule.target())
                .isEqualTo(new FaultTarget(FaultTarget.Kind.READ, Region.BAR0, 0x10, 0x1f, FaultTarget.ANY_OPCODE));
        assertThat(rule.timing()).isEqualTo(new FaultTiming(3, 2, 5, 0.5, 20_000_000));
        assertThat(rule.action()).isEqualTo(new FaultAction(FaultAction.Kind.FLIP, 0xff));
    }

    @Test
    void aRegisterHasANameOnceItIsSaidWhatTheRegistersAre() throws FaultSyntaxException {
        assertThat(rule("on write bar0 ASQ do drop").target().first()).isEqualTo(0x28);
        assertThat(rule("on write bar0 ASQ do drop").target().last()).isEqualTo(0x2f);
        assertThatThrownBy(() -> rule("on write bar1 ASQ do drop"))
                .hasMessage("rules:3:15: \"ASQ\": for a register's name, say before what the registers are,"
                        + " as in \"names bar1 nvme\"");
    }

    @Test
    void aRuleThatSaysWhenActsOnce() throws FaultSyntaxException {
        assertThat(rule("on interrupt 1 nth 4 do drop").timing()).isEqualTo(FaultTiming.once(4));
        assertThat(rule("on interrupt 1 do drop").timing()).isEqualTo(FaultTiming.ALWAYS);
        assertThat(rule("on interrupt 1 every 3 do drop").timing())
                .isEqualTo(new FaultTiming(3, 3, Long.MAX_VALUE, 1, 0));
    }

    @Test
    void aCommandIsNamedByItsQueue() throws FaultSyntaxException {
        assertThat(rule("on completion 0 opcode identify do status 6").target().opcode())
                .isEqualTo(6);
        assertThat(rule("on completion 1-9 opcode write-zeroes do phase")
                        .target()
                        .opcode())
                .isEqualTo(8);
    }

    @Test
    void rulesReadBackAsTheyAreWritten() throws FaultSyntaxException {
        FaultPlan plan = parse(
                "seed 99",
                "on read config * every 7 do ones",
                "on write bar0 0x1000-0x1fff nth 5 do drop",
                "on write bar0 0x14 nth 5 every 1 do stick 0x0",
                "on interrupt * count 2 do delay 15ms",
                "on dma-in 3 probability 0.25 do flip 0x80000000",
                "on dma-out 0-2 do ones",
                "on completion 1 opcode 0x2 nth 2 every 3 count 4 do status 0x281",
                "on write bar0 * nth 1 every 2 do drop",
                "on write bar0 * nth 3 every 2 do drop",
                "on any after 2s nth 1 do remove");

        assertThat(FaultPlan.parse("again", plan.toString())).isEqualTo(plan);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            off read bar0 * do drop               | 3:1: "off": a line begins with seed, names or on
            on read bar9 * do ones                | 3:9: "bar9": the regions are
            on read bar0 CSTX do ones             | 3:14: "CSTX": nvme has no such register
            on read bar0 8-4 do ones              | 3:14: "8-4": a range begins with the smaller number
            on read bar0 * nth 0 do ones          | 3:20: "0": this is at least 1
            on read bar0 * nth x do ones          | 3:20: "x": expected a number
            on read bar0 * probability 2 do ones  | 3:28: "2": a probability is a number from 0 to 1
            on read bar0 * after 2 do ones        | 3:22: "2": a duration is a number with its unit
            on read bar0 * often do ones          | 3:16: "often": expected nth, every
            on read bar0 * do                     | 3:18: the line ends where one of these is due: flip
            on read bar0 * do drop                | 3:19: "drop" cannot be done to "read"
            on interrupt * do flip 1              | 3:24: "flip" cannot be done to "interrupt"
            on dma-in * do ones twice             | 3:21: "twice" is too much
            on completion 1 opcode fly do drop    | 3:24: "fly": an opcode is a number, or a name
            on completion 1 do status 0x10000     | 3:27: "0x10000": this is 32767 at most
            seed -1                               | 3:6: "-1": expected a number
            """)
    void whatIsWrongIsSaidWithLineAndColumn(String line, String message) {
        assertThatThrownBy(() -> rule(line))
                .isInstanceOf(FaultSyntaxException.class)
                .hasMessageStartingWith("rules:" + message);
    }

    @Test
    void aFileOfAnotherVersionIsRefused() {
        for (String text : List.of("", "outboard-faults 2\n", "on any do remove\n")) {
            assertThatThrownBy(() -> FaultPlan.parse("rules", text))
                    .hasMessage("rules:1:1: the first line is \"outboard-faults 1\"");
        }
    }
}
