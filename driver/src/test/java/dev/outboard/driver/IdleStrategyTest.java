package dev.outboard.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class IdleStrategyTest {
    private final List<Integer> sleeps = new ArrayList<>();
    private int came;
    private final IdleStrategy strategy = new IdleStrategy(timeoutMillis -> {
        sleeps.add(timeoutMillis);
        return came;
    });

    private void idleUntilItSleeps(int times) throws IOException {
        for (int wanted = sleeps.size() + times; sleeps.size() < wanted; ) {
            strategy.idle();
        }
    }

    @Test
    void oneWhoSleptWithoutWorkSleepsAgainAtTheNextIdlePoll() throws IOException {
        idleUntilItSleeps(1);
        strategy.idle();
        strategy.idle();
        assertThat(sleeps).containsExactly(1, 1, 1);
    }

    @Test
    void workIsFollowedByPollsThatDoNotSleep() throws IOException {
        idleUntilItSleeps(1);
        strategy.worked();
        for (int i = 0; i < 127; i++) {
            strategy.idle();
        }
        assertThat(sleeps).hasSize(1);
        came = 1;
        idleUntilItSleeps(1);
        strategy.idle();
        assertThat(sleeps).hasSize(2);
    }
}
