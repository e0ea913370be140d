package dev.outboard.samples.idio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.outboard.driver.GpioController.Direction;
import dev.outboard.driver.GpioEdges;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every card whose outputs are wired to its inputs, however it is reached. */
@Timeout(120)
abstract class IdioContract {
    static final Duration SOON = Duration.ofSeconds(30);
    private static final long OUTPUTS = 0xffff;
    private static final long INPUTS = OUTPUTS << IdioCard.FIRST_INPUT;

    private IdioCard card;

    /** Opens the card; called for each test. */
    abstract IdioCard open() throws IOException;

    IdioCard card() {
        return card;
    }

    @BeforeEach
    void openCard() throws IOException {
        card = open();
        card.set(OUTPUTS, 0);
    }

    @AfterEach
    void closeCard() {
        if (card != null) {
            card.close();
        }
    }

    @Test
    void linesAreNumberedAndNamedAsInLinux() {
        assertThat(card.lineCount()).isEqualTo(32);
        assertThat(card.lineName(0)).isEqualTo("OUT0");
        assertThat(card.lineName(15)).isEqualTo("OUT15");
        assertThat(card.lineName(16)).isEqualTo("IIN0");
        assertThat(card.lineName(31)).isEqualTo("IIN15");
        assertThat(card.direction(15)).isEqualTo(Direction.OUTPUT);
        assertThat(card.direction(16)).isEqualTo(Direction.INPUT);
    }

    @Test
    void eachOutputDrivesTheInputOfItsNumberAndNoOther() throws IOException {
        for (int line = 0; line < IdioCard.FIRST_INPUT; line++) {
            card.set(OUTPUTS, 1L << line);
            assertThat(card.get(OUTPUTS | INPUTS)).isEqualTo((1L << line) | (1L << (line + IdioCard.FIRST_INPUT)));
        }
    }

    @Test
    void settingSomeOutputsLeavesTheOthersAlone() throws IOException {
        Random random = new Random(4711);
        long expected = 0;
        for (int i = 0; i < 200; i++) {
            long lines = random.nextLong() & OUTPUTS;
            long values = random.nextLong();
            card.set(lines, values);
            expected = (expected & ~lines) | (values & lines);
            assertThat(card.get(OUTPUTS)).as("step %d", i).isEqualTo(expected);
        }
    }

    @Test
    void onlyWhatIsAskedForIsRead() throws IOException {
        card.set(OUTPUTS, OUTPUTS);
        assertThat(card.get(0x8001_8001L)).isEqualTo(0x8001_8001L);
        assertThat(card.get(0)).isZero();
    }

    @Test
    void linesThatAreNotThereAreRefused() {
        assertThatThrownBy(() -> card.get(1L << 32)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> card.set(1L << 63, 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> card.watch(1L << 40)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> card.lineName(32)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> card.direction(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void aDirectionThatALineCannotHaveIsRefused() {
        card.setDirection(0, Direction.OUTPUT);
        assertThatThrownBy(() -> card.setDirection(0, Direction.INPUT))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("OUT0");
        assertThatThrownBy(() -> card.set(1L << 16, 0)).hasMessageContaining("IIN0 is an input");
        assertThatThrownBy(() -> card.watch(1L << 3)).hasMessageContaining("OUT3 is an output");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7, 8, 15})
    void anEdgeOfAWatchedInputEndsTheWait(int line) throws IOException {
        int input = line + IdioCard.FIRST_INPUT;
        try (GpioEdges edges = card.watch(INPUTS)) {
            for (int i = 0; i < 3; i++) {
                card.set(1L << line, 1L << line);
                assertEdge(edges, input, true);
                card.set(1L << line, 0);
                assertEdge(edges, input, false);
            }
            assertThat(edges.await(Duration.ZERO)).isNull();
        }
    }

    static void assertEdge(GpioEdges edges, int line, boolean rising) throws IOException {
        GpioEdges.Edge edge = edges.await(SOON);
        assertThat(edge).isNotNull();
        assertThat(edge.line()).isEqualTo(line);
        assertThat(edge.rising()).isEqualTo(rising);
        assertThat(System.nanoTime() - edge.nanoTime()).isNotNegative();
    }

    @Test
    void severalInputsThatChangeAtOnceAreAnEdgeEach() throws IOException {
        try (GpioEdges edges = card.watch(INPUTS)) {
            card.set(0x00ff, 0x0005);
            assertEdge(edges, 16, true);
            assertEdge(edges, 18, true);
            assertThat(edges.await(Duration.ZERO)).isNull();
        }
    }

    @Test
    void anInputThatIsNotWatchedEndsNoWait() throws IOException {
        try (GpioEdges edges = card.watch(1L << 20)) {
            card.set(1 << 3, -1);
            assertThat(edges.await(Duration.ofMillis(20))).isNull();
            card.set(1 << 4, -1);
            assertEdge(edges, 20, true);
        }
    }

    @Test
    void aCardIsWatchedByOneAndThenByTheNext() throws IOException {
        GpioEdges first = card.watch(INPUTS);
        assertThatThrownBy(() -> card.watch(INPUTS))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("close that watch first");
        card.set(1, 1);
        first.close();
        first.close();
        try (GpioEdges second = card.watch(INPUTS)) {
            assertThat(second.await(Duration.ZERO)).as("what came before").isNull();
            card.set(1, 0);
            assertEdge(second, 16, false);
        }
    }

    @Test
    void filteredInputsFollowAfterAWhile() throws IOException {
        card.setFilter(true);
        try (GpioEdges edges = card.watch(INPUTS)) {
            card.set(1 << 9, -1);
            assertEdge(edges, 25, true);
        }
        card.setFilter(false);
        card.set(1 << 9, 0);
        assertThat(card.get(1L << 25)).isZero();
    }

    @Test
    void onlyTheFirstEightInputsHaveFiltersOfTheirOwn() throws IOException {
        card.setFilters(0xf0L << IdioCard.FIRST_INPUT);
        card.set(0x0f0f, -1);
        assertThat(card.get(INPUTS)).isEqualTo(0x0f0fL << IdioCard.FIRST_INPUT);
        assertThatThrownBy(() -> card.setFilters(1L << 24)).hasMessageContaining("IIN0 to IIN7");
    }

    @Test
    void itWorksAgainWhenItIsOpenedAgain() throws IOException {
        card.watch(INPUTS);
        card.close();
        card.close();
        card = open();
        card.set(OUTPUTS, 0xa55a);
        assertThat(card.get(INPUTS)).isEqualTo(0xa55aL << IdioCard.FIRST_INPUT);
    }
}
