package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.cli.SvgChart.Kind;
import dev.outboard.cli.SvgChart.Series;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SvgChartTest {
    private static String svg(List<String> categories, List<Double> values) {
        return SvgChart.svg(
                "all",
                List.of(new SvgChart(
                        "title", "unit", categories, "axis", Kind.BARS, List.of(new Series("a < b & c", values)))));
    }

    private static List<String> texts(String svg) {
        return Pattern.compile("<text[^>]*>([^<]*)<")
                .matcher(svg)
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"2.2, 2.5, 0.5", "14, 15, 5", "100, 100, 20", "0.007, 0.008, 0.002", "0, 1, 1"})
    void theGridEndsAboveTheLargestValueInRoundSteps(double largest, String end, String step) {
        assertThat(texts(svg(List.of("c"), List.of(largest))))
                .contains(end, step)
                .contains("title", "unit", "axis", "c");
    }

    @Test
    void namesOfCategoriesAreLeftOutWhereTheyHaveNoRoom() {
        List<String> categories =
                IntStream.range(1000, 1100).mapToObj(Integer::toString).toList();
        assertThat(texts(svg(categories, Collections.nCopies(100, 1.0))))
                .contains("1000")
                .doesNotContain("1001")
                .hasSizeBetween(20, 40);
    }

    @Test
    void textIsNoMarkup() {
        assertThat(texts(svg(List.of("<"), List.of(1.0)))).contains("a &lt; b &amp; c", "&lt;");
    }
}
