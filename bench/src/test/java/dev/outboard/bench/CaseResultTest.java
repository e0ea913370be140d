package dev.outboard.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CaseResultTest {
    private static final Comparison NVME = new NvmeComparison();
    private static final CaseResult MEASURED = CaseResult.measured(
            NVME,
            "randread qd1",
            Unit.IOPS,
            "a peer",
            new CaseResult.Figures(List.of(100.0, 300.0, 400.0), List.of(200.0, 150.0, 50.0), 95.5, 80.25, 0.5));

    @Test
    void theFieldsThatAreDocumentedComeFirstAndInOrder() {
        assertThat(MEASURED.json().keySet())
                .startsWith("name", "case", "unit", "ours", "theirs", "ratio", "peer", "rounds", "pingPongNanos")
                .contains("bestOurs", "bestTheirs", "bestRatio")
                .doesNotContain("notMeasured");
    }

    @Test
    void oursTheirsAndTheRatioAreMedians() {
        Map<String, ?> json = MEASURED.json();
        assertThat(json.get("ours")).isEqualTo(300.0);
        assertThat(json.get("theirs")).isEqualTo(150.0);
        assertThat(json.get("ratio")).isEqualTo(2.0);
        assertThat(json.get("rounds")).isEqualTo(3);
    }

    @Test
    void theBestsAreEachSidesOwn() {
        Map<String, ?> json = MEASURED.json();
        assertThat(json.get("bestOurs")).isEqualTo(400.0);
        assertThat(json.get("bestTheirs")).isEqualTo(200.0);
        assertThat(json.get("bestRatio")).isEqualTo(2.0);
    }

    @Test
    void pingPongIsTheSmallerOfWhatWasReadBeforeAndAfter() {
        assertThat(MEASURED.json().get("pingPongNanos")).isEqualTo(80.25);
        assertThat(MEASURED.json().get("pingPongNanosBefore")).isEqualTo(95.5);
    }

    @Test
    void pingPongThatWasNotReadDoesNotCount() {
        CaseResult result = CaseResult.measured(
                NVME, "x", Unit.IOPS, "a peer", new CaseResult.Figures(List.of(1.0), List.of(1.0), Double.NaN, 80, 0));
        assertThat(result.json().get("pingPongNanos")).isEqualTo(80.0);
        assertThat(result.json().get("pingPongNanosBefore")).isNull();
    }

    @Test
    void aCaseThatWasNotMeasuredSaysWhyAndHasNoFigures() {
        Map<String, ?> json = CaseResult.notMeasured(NVME, "randread qd1", "a peer", "there is no peer")
                .json();
        assertThat(json.get("notMeasured")).isEqualTo("there is no peer");
        assertThat(json).containsKeys("ours", "theirs", "ratio", "pingPongNanos");
        assertThat(json.get("ours")).isNull();
        assertThat(json.get("ratio")).isNull();
        assertThat(json.get("rounds")).isEqualTo(0);
    }

    @Test
    void aRowShowsWhatTheJsonSays() {
        assertThat(ResultTable.row(CaseResult.measured(
                        new FieldsComparison(),
                        "update",
                        Unit.NANOS_PER_UPDATE,
                        "a peer",
                        new CaseResult.Figures(List.of(2.0), List.of(1.0), 90, 91, 0))))
                .containsSubsequence("update", "2.000", "1.000", "0.50", "90, 91");
        assertThat(ResultTable.row(CaseResult.notMeasured(NVME, "randread qd1", "a peer", "no")))
                .contains("not measured: no");
    }
}
