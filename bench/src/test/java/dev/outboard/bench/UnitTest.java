package dev.outboard.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class UnitTest {
    @Test
    void aRatioAboveOneMeansThatOursIsBetterWhicheverWayThatIs() {
        assertThat(Unit.IOPS.ratio(300, 200)).isEqualTo(1.5);
        assertThat(Unit.NANOS_PER_ACCESS.ratio(2, 3)).isEqualTo(1.5);
        assertThat(Unit.NANOS_PER_UPDATE.ratio(4, 2)).isEqualTo(0.5);
    }

    @Test
    void theBestIsTheMostRequestsAndTheLeastTime() {
        double[] figures = {3, 1, 2};
        assertThat(Unit.IOPS.best(figures)).isEqualTo(3);
        assertThat(Unit.NANOS_PER_ACCESS.best(figures)).isEqualTo(1);
    }

    @Test
    void theMedianOfAnOddNumberIsTheMiddleOne() {
        assertThat(Unit.median(new double[] {9, 1, 5})).isEqualTo(5);
        assertThat(Unit.median(new double[] {7})).isEqualTo(7);
    }

    @Test
    void theMedianOfAnEvenNumberIsTheMeanOfTheTwoInTheMiddle() {
        assertThat(Unit.median(new double[] {8, 2, 4, 100})).isEqualTo(6);
    }

    @Test
    void theMedianLeavesTheRoundsInTheirOrder() {
        double[] figures = {3, 1, 2};
        Unit.median(figures);
        assertThat(figures).containsExactly(3, 1, 2);
    }

    @Test
    void noRoundsHaveNoMedian() {
        assertThatThrownBy(() -> Unit.median(new double[0])).isInstanceOf(IllegalArgumentException.class);
    }
}
