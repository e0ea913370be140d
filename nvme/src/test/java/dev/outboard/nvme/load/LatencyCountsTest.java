package dev.outboard.nvme.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class LatencyCountsTest {
    private static final long LONGEST = 60_000_000_000L;

    @Test
    void percentilesAreThoseOfAHistogram() {
        LatencyCounts counts = new LatencyCounts();
        Histogram expected = new Histogram(LONGEST, 3);
        Random random = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            long nanos = (long) Math.exp(random.nextDouble() * Math.log(LONGEST));
            counts.record(nanos);
            expected.recordValue(nanos);
        }
        Histogram histogram = counts.histogram();
        assertThat(histogram.getTotalCount()).isEqualTo(100_000);
        for (double percentile : new double[] {0, 1, 50, 90, 99, 99.9, 99.99, 100}) {
            double value = expected.getValueAtPercentile(percentile);
            assertThat((double) histogram.getValueAtPercentile(percentile)).isCloseTo(value, within(1 + value / 400));
        }
        assertThat(histogram.getMean()).isCloseTo(expected.getMean(), within(expected.getMean() / 400));
    }

    @Test
    void theShortestAndTheLongestAreCounted() {
        LatencyCounts counts = new LatencyCounts();
        counts.record(0);
        counts.record(1);
        counts.record(Long.MAX_VALUE);
        Histogram histogram = counts.histogram();
        assertThat(histogram.getTotalCount()).isEqualTo(3);
        assertThat(histogram.getValueAtPercentile(34)).isEqualTo(1);
        assertThat(histogram.getMaxValue()).isCloseTo(LONGEST, within(LONGEST / 400));
    }
}
