package dev.outboard.emulation.nvme;

import java.util.ArrayDeque;
import java.util.Queue;

/**
 * The requests for asynchronous events that wait, and the events that no request was there for. NVMe base specification
 * 2.0, 5.2.
 */
final class AsynchronousEvents {
    /** How many requests may wait, less one: AERL. */
    static final int LIMIT = 3;

    /** An error event: a doorbell got a value that cannot be; log page 1 has more. Figure 146. */
    static final int INVALID_DOORBELL_VALUE = 0x01_01_00;

    private static final int MAXIMUM_EVENTS = 16;

    private final Queue<Integer> requests = new ArrayDeque<>();
    private final Queue<Integer> events = new ArrayDeque<>();

    /** Keeps a request; returns false if there are too many. */
    boolean request(int commandId) {
        return requests.size() <= LIMIT && requests.add(commandId);
    }

    void report(int event) {
        // One of each kind until the host has read the log.
        if (events.size() < MAXIMUM_EVENTS && !events.contains(event)) {
            events.add(event);
        }
    }

    boolean canComplete() {
        return !requests.isEmpty() && !events.isEmpty();
    }

    int takeRequest() {
        return requests.remove();
    }

    int takeEvent() {
        return events.remove();
    }

    void clear() {
        requests.clear();
        events.clear();
    }
}
