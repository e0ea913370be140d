package dev.outboard.emulation.nvme;

import java.util.Map;
import java.util.TreeMap;

/** A set of blocks, kept as ranges: those that write uncorrectable has made unreadable. */
final class BlockRanges {
    // Where each range starts, and the block after it. They neither overlap nor touch.
    private final TreeMap<Long, Long> ranges = new TreeMap<>();

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    void clear() {
        ranges.clear();
    }

    boolean intersects(long first, long count) {
        Map.Entry<Long, Long> before = ranges.lowerEntry(first + count);
        return before != null && before.getValue() > first;
    }

    void add(long first, long count) {
        long start = first;
        long end = first + count;
        Map.Entry<Long, Long> before = ranges.floorEntry(end);
        while (before != null && before.getValue() >= start) {
            start = Math.min(start, before.getKey());
            end = Math.max(end, before.getValue());
            ranges.remove(before.getKey());
            before = ranges.floorEntry(end);
        }
        ranges.put(start, end);
    }

    void remove(long first, long count) {
        long end = first + count;
        Map.Entry<Long, Long> before = ranges.lowerEntry(end);
        while (before != null && before.getValue() > first) {
            ranges.remove(before.getKey());
            if (before.getKey() < first) {
                ranges.put(before.getKey(), first);
            }
            if (before.getValue() > end) {
                ranges.put(end, before.getValue());
            }
            before = ranges.lowerEntry(end);
        }
    }
}
