package dev.outboard.rig;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Accesses as {@link RegisterExactnessProgram} has them, without {@code Registers}: what a compiler is free to change. */
final class PlainAccesses {
    private PlainAccesses() {}

    static void unusedReads(MemorySegment device, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            device.get(ValueLayout.JAVA_INT, base);
        }
    }

    static void repeatedWrites(MemorySegment device, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            device.set(ValueLayout.JAVA_INT, base, 1);
            device.set(ValueLayout.JAVA_INT, base, 2);
        }
    }

    static void adjacentWrites(MemorySegment device, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            device.set(ValueLayout.JAVA_INT, base + 8, 1);
            device.set(ValueLayout.JAVA_INT, base + 12, 2);
        }
    }

    static void run(MemorySegment device, long base, int rounds) {
        unusedReads(device, base, rounds);
        repeatedWrites(device, base, rounds);
        adjacentWrites(device, base, rounds);
    }
}
