package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.AsynchronousEvent;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Queue;

/**
 * The requests for asynchronous events that wait, and the events that no request was there for. After an event of a type
 * no other of that type comes until the host has read the log page that it named. NVMe base specification 2.0, 5.2.
 */
final class AsynchronousEvents {
    /** How many requests may wait, less one: AERL. */
    static final int LIMIT = 3;

    private static final int MAXIMUM_EVENTS = 16;
    private static final int NOT_MASKED = -1;

    private final Queue<Integer> requests = new ArrayDeque<>();
    private final Queue<Integer> events = new ArrayDeque<>();
    // For each type, the log page to be read before the next event.
    private final int[] unreadLogs = new int[AsynchronousEvent.TYPES];

    AsynchronousEvents() {
        Arrays.fill(unreadLogs, NOT_MASKED);
    }

    /** Keeps a request; returns false if there are too many. */
    boolean request(int commandId) {
        return requests.size() <= LIMIT && requests.add(commandId);
    }

    /** Takes a request back; returns whether it was there. */
    boolean abort(int commandId) {
        return requests.remove(commandId);
    }

    void report(int event) {
        // One of each kind until the host has read the log.
        if (events.size() < MAXIMUM_EVENTS && !events.contains(event)) {
            events.add(event);
        }
    }

    /** The host has read a log page: its events may come again, those that led there are answered. */
    void logRead(int log) {
        events.removeIf(event -> AsynchronousEvent.LOG.get(event) == log);
        for (int type = 0; type < unreadLogs.length; type++) {
            if (unreadLogs[type] == log) {
                unreadLogs[type] = NOT_MASKED;
            }
        }
    }

    boolean canComplete() {
        if (requests.isEmpty() || events.isEmpty()) {
            return false;
        }
        for (int event : events) {
            if (unreadLogs[(int) AsynchronousEvent.TYPE.get(event)] == NOT_MASKED) {
                return true;
            }
        }
        return false;
    }

    int takeRequest() {
        return requests.remove();
    }

    int takeEvent() {
        for (Iterator<Integer> all = events.iterator(); all.hasNext(); ) {
            int event = all.next();
            int type = (int) AsynchronousEvent.TYPE.get(event);
            if (unreadLogs[type] == NOT_MASKED) {
                all.remove();
                unreadLogs[type] = (int) AsynchronousEvent.LOG.get(event);
                return event;
            }
        }
        throw new IllegalStateException("there is no event that can be sent");
    }

    void clear() {
        requests.clear();
        events.clear();
        Arrays.fill(unreadLogs, NOT_MASKED);
    }
}
