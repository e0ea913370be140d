package dev.outboard.memory;

import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What is free of a range of device addresses: pieces are taken from it, first fit, and given back. Not safe for use by
 * several threads.
 */
public final class FreeRanges {
    private final long base;
    private final long unitBytes;
    /** Sizes by their starts, both whole units from the start of the range. */
    private final NavigableMap<Long, Long> free = new TreeMap<>();

    /**
     * A range that is all free.
     *
     * @param deviceAddress where it starts
     * @param sizeBytes its size; what is left of the last unit is not used
     * @param unitBytes a power of two: pieces take whole units, counted from the start
     */
    public FreeRanges(long deviceAddress, long sizeBytes, long unitBytes) {
        base = deviceAddress;
        this.unitBytes = unitBytes;
        putIfAny(0, sizeBytes & -unitBytes);
    }

    /**
     * Takes the lowest piece that keeps limits.
     *
     * @param sizeBytes its size, from 1 on
     * @param limits what the device demands
     * @return where it is, from the start of the range; empty if there is none
     */
    public OptionalLong take(long sizeBytes, DmaLimits limits) {
        for (Map.Entry<Long, Long> range : free.entrySet()) {
            // Read now: a tree's entry changes when it is removed.
            long start = range.getKey();
            long end = start + range.getValue();
            OptionalLong found = limits.place(base + start, base + end - 1, sizeBytes);
            if (found.isPresent()) {
                long place = found.getAsLong() - base;
                free.remove(start);
                putIfAny(start, firstUnit(place));
                putIfAny(endOfUnits(place, sizeBytes), end);
                return OptionalLong.of(place);
            }
        }
        return OptionalLong.empty();
    }

    /**
     * Gives a piece back.
     *
     * @param offset where it is, as {@link #take} said
     * @param sizeBytes its size, as it was asked for
     */
    public void give(long offset, long sizeBytes) {
        long start = firstUnit(offset);
        long end = endOfUnits(offset, sizeBytes);
        Map.Entry<Long, Long> before = free.floorEntry(start);
        if (before != null && before.getKey() + before.getValue() == start) {
            start = before.getKey();
        }
        Long after = free.remove(end);
        free.put(start, end - start + (after == null ? 0 : after));
    }

    private long firstUnit(long offset) {
        return offset & -unitBytes;
    }

    private long endOfUnits(long offset, long sizeBytes) {
        return DmaLimits.alignUp(offset + sizeBytes, unitBytes);
    }

    private void putIfAny(long start, long end) {
        if (start < end) {
            free.put(start, end - start);
        }
    }
}
