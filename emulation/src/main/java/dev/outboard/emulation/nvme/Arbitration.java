package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.Feature;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which queue is served next, and how many of its commands. Round robin needs only the burst; with weighted round robin
 * the admin queue comes first, then urgent queues, then the three others by their weights. NVMe base specification 2.0,
 * 3.4.4.
 */
final class Arbitration {
    // Large enough to serve a usual queue depth at once, small enough that no queue waits long for another.
    private static final int LARGEST_BURST = 32;
    private static final int NO_LIMIT = 7;
    private static final int CLASSES = 4;
    private static final int URGENT = 0;
    // Urgent queues go on until they are empty; a round ends now and then, so that the server looks at its messages
    // too.
    private static final int URGENT_IN_A_ROUND = 4 * LARGEST_BURST;

    private SubmissionQueue[][] classes = new SubmissionQueue[CLASSES][];
    private final int[] weights = {URGENT_IN_A_ROUND, 1, 1, 1};
    private final int[] turns = new int[CLASSES];
    private @Nullable SubmissionQueue admin;
    private int burst = LARGEST_BURST;
    private boolean weighted;

    // Where a round is: the class, what is left of its weight, and how many of its queues had nothing in a row.
    private int current;
    private int left;
    private int empty;
    private boolean adminIsNext;
    private boolean adminIsServed;

    Arbitration() {
        Arrays.fill(classes, new SubmissionQueue[0]);
    }

    boolean isWeighted() {
        return weighted;
    }

    void setWeighted(boolean byWeight) {
        weighted = byWeight;
    }

    /** Takes the value of the feature over. */
    void configure(int value) {
        int exponent = (int) Feature.ARBITRATION_BURST.get(value);
        burst = exponent == NO_LIMIT ? LARGEST_BURST : Math.min(LARGEST_BURST, 1 << exponent);
        weights[1] = (int) Feature.HIGH_WEIGHT.get(value) + 1;
        weights[2] = (int) Feature.MEDIUM_WEIGHT.get(value) + 1;
        weights[3] = (int) Feature.LOW_WEIGHT.get(value) + 1;
    }

    void setQueues(SubmissionQueue[] queues) {
        SubmissionQueue[][] sorted = new SubmissionQueue[CLASSES][];
        for (int i = 0; i < CLASSES; i++) {
            int wanted = i;
            sorted[i] = Arrays.stream(queues)
                    .filter(queue -> queue.id() != 0 && queue.priority() == wanted)
                    .toArray(SubmissionQueue[]::new);
        }
        classes = sorted;
        admin = queues.length > 0 && queues[0].id() == 0 ? queues[0] : null;
        // The round that an admin command was part of is over.
        current = CLASSES;
    }

    /** How many commands of a queue are served at once. */
    int burst() {
        return burst;
    }

    void startRound() {
        adminIsNext = admin != null;
        enter(URGENT);
    }

    private void enter(int next) {
        current = next;
        empty = 0;
        left = next < CLASSES ? weights[next] : 0;
    }

    /** The next queue of a round, or null at its end. */
    @Nullable
    SubmissionQueue next() {
        adminIsServed = adminIsNext;
        if (adminIsNext) {
            adminIsNext = false;
            return admin;
        }
        while (current < CLASSES) {
            SubmissionQueue[] queues = classes[current];
            if (left > 0 && empty < queues.length) {
                turns[current] = (turns[current] + 1) % queues.length;
                return queues[turns[current]];
            }
            boolean urgentGoesOn = current == URGENT && left <= 0;
            enter(urgentGoesOn ? CLASSES : current + 1);
        }
        return null;
    }

    /** How many commands of that queue may be served now. */
    int credit() {
        return adminIsServed ? burst : Math.min(burst, left);
    }

    /** So many commands of that queue were served. */
    void served(int commands) {
        if (!adminIsServed) {
            left -= commands;
            empty = commands == 0 ? empty + 1 : 0;
        }
    }
}
