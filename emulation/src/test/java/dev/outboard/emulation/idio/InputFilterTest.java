package dev.outboard.emulation.idio;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Filters, by a clock of the test's own. */
class InputFilterTest {
    private static final long MILLI = 1_000_000;

    private final InputFilter filter = new InputFilter();

    @Test
    void withoutFiltersALevelPassesAtOnce() {
        assertThat(filter.sense(0x8001, 0)).isEqualTo(0x8001);
        assertThat(filter.passed()).isEqualTo(0x8001);
        assertThat(filter.isSettling()).isFalse();
    }

    @Test
    void aFilteredLevelPassesOnceItHasLasted() {
        filter.turnOn(0xffff);
        assertThat(filter.sense(1, 0)).isZero();
        assertThat(filter.isSettling()).isTrue();
        assertThat(filter.sense(1, 5 * MILLI - 1)).isZero();
        assertThat(filter.sense(1, 5 * MILLI)).isEqualTo(1);
        assertThat(filter.passed()).isEqualTo(1);
    }

    @Test
    void aPulseThatIsTooShortNeverPasses() {
        filter.turnOn(0xffff);
        filter.sense(1, 0);
        filter.sense(0, 4 * MILLI);
        filter.sense(1, 6 * MILLI);
        assertThat(filter.sense(1, 10 * MILLI)).isZero();
        assertThat(filter.sense(1, 11 * MILLI)).isEqualTo(1);
    }

    @Test
    void onlyInputsWhoseFilterIsOnWait() {
        filter.turnOn(0b10);
        assertThat(filter.sense(0b11, 0)).isEqualTo(0b01);
        filter.turnOn(0);
        assertThat(filter.sense(0b11, 1)).isEqualTo(0b10);
    }
}
