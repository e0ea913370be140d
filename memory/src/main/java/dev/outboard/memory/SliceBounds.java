package dev.outboard.memory;

/**
 * Which bytes a slice has: {@code PySlice_AdjustIndices} of Python.
 *
 * @param start the first
 * @param count how many
 */
record SliceBounds(long start, long count) {
    static SliceBounds of(long from, long to, long step, long size) {
        if (step == 0) {
            throw new IllegalArgumentException("a slice with step 0; give another one");
        }
        long lowest = step < 0 ? -1 : 0;
        long highest = step < 0 ? size - 1 : size;
        long start = clip(from, size, lowest, highest);
        long end = clip(to, size, lowest, highest);
        long count = 0;
        if (step > 0 && start < end) {
            count = (end - start - 1) / step + 1;
        } else if (step < 0 && end < start) {
            // Divided by the step as it is: the smallest long has no negative.
            count = (end - start + 1) / step + 1;
        }
        return new SliceBounds(start, count);
    }

    private static long clip(long index, long size, long lowest, long highest) {
        // Long.MIN_VALUE + size cannot overflow.
        long at = index < 0 ? index + size : index;
        return Math.clamp(at, lowest, highest);
    }
}
