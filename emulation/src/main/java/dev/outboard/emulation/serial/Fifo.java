package dev.outboard.emulation.serial;

import dev.outboard.specs.serial.Uart16550;

/** Up to 16 characters; one while FIFOs are off. */
final class Fifo {
    private final int[] entries = new int[Uart16550.FIFO_CHARACTERS];
    private int capacity = 1;
    private int first;
    private int size;

    /** Empties it; from then on it holds 16 characters, or one. */
    void reset(boolean enabled) {
        capacity = enabled ? entries.length : 1;
        clear();
    }

    void clear() {
        first = 0;
        size = 0;
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    boolean isFull() {
        return size == capacity;
    }

    void add(int entry) {
        entries[(first + size++) % entries.length] = entry;
    }

    int take() {
        int entry = entries[first];
        first = (first + 1) % entries.length;
        size--;
        return entry;
    }

    /** The oldest entry; it stays. */
    int oldest() {
        return entries[first];
    }

    void replaceOldest(int entry) {
        entries[first] = entry;
    }

    /** Whether an entry has one of these bits. */
    boolean any(int bits) {
        for (int i = 0; i < size; i++) {
            if ((entries[(first + i) % entries.length] & bits) != 0) {
                return true;
            }
        }
        return false;
    }
}
