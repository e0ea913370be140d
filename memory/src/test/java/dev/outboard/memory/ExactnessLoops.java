package dev.outboard.memory;

/**
 * The loops of {@link RegisterExactnessProgram}, each a method of its own so that each is compiled as a whole, and written
 * out for every width: a switch or a lambda in between would hide the neighbours from the compiler.
 */
final class ExactnessLoops {
    private ExactnessLoops() {}

    static long loops8(Registers registers, long base, int rounds) {
        unusedReads8(registers, base, rounds);
        long sum = repeatedReads8(registers, base, rounds);
        repeatedWrites8(registers, base, rounds);
        adjacentWrites8(registers, base, rounds);
        return sum + writeThenRead8(registers, base, rounds);
    }

    private static void unusedReads8(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.read8(base);
        }
    }

    private static long repeatedReads8(Registers registers, long base, int rounds) {
        long sum = 0;
        for (int i = 0; i < rounds; i++) {
            sum += registers.read8(base) + registers.read8(base);
        }
        return sum;
    }

    private static void repeatedWrites8(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.write8(base, (byte) 1);
            registers.write8(base, (byte) 2);
        }
    }

    private static void adjacentWrites8(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.write8(base, (byte) 1);
            registers.write8(base + 1, (byte) 2);
            registers.write8(base + 2, (byte) 3);
            registers.write8(base + 3, (byte) 4);
            registers.write8(base + 4, (byte) 5);
            registers.write8(base + 5, (byte) 6);
            registers.write8(base + 6, (byte) 7);
            registers.write8(base + 7, (byte) 8);
            registers.write8(base + 8, (byte) 9);
            registers.write8(base + 9, (byte) 10);
            registers.write8(base + 10, (byte) 11);
            registers.write8(base + 11, (byte) 12);
            registers.write8(base + 12, (byte) 13);
            registers.write8(base + 13, (byte) 14);
            registers.write8(base + 14, (byte) 15);
            registers.write8(base + 15, (byte) 16);
        }
    }

    private static long writeThenRead8(Registers registers, long base, int rounds) {
        long sum = 0;
        for (int i = 0; i < rounds; i++) {
            registers.write8(base, (byte) 3);
            sum += registers.read8(base);
        }
        return sum;
    }

    static long loops16(Registers registers, long base, int rounds) {
        unusedReads16(registers, base, rounds);
        long sum = repeatedReads16(registers, base, rounds);
        repeatedWrites16(registers, base, rounds);
        adjacentWrites16(registers, base, rounds);
        return sum + writeThenRead16(registers, base, rounds);
    }

    private static void unusedReads16(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.read16(base);
        }
    }

    private static long repeatedReads16(Registers registers, long base, int rounds) {
        long sum = 0;
        for (int i = 0; i < rounds; i++) {
            sum += registers.read16(base) + registers.read16(base);
        }
        return sum;
    }

    private static void repeatedWrites16(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.write16(base, (short) 1);
            registers.write16(base, (short) 2);
        }
    }

    private static void adjacentWrites16(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.write16(base, (short) 1);
            registers.write16(base + 2, (short) 2);
            registers.write16(base + 4, (short) 3);
            registers.write16(base + 6, (short) 4);
            registers.write16(base + 8, (short) 5);
            registers.write16(base + 10, (short) 6);
            registers.write16(base + 12, (short) 7);
            registers.write16(base + 14, (short) 8);
        }
    }

    private static long writeThenRead16(Registers registers, long base, int rounds) {
        long sum = 0;
        for (int i = 0; i < rounds; i++) {
            registers.write16(base, (short) 3);
            sum += registers.read16(base);
        }
        return sum;
    }

    static long loops32(Registers registers, long base, int rounds) {
        unusedReads32(registers, base, rounds);
        long sum = repeatedReads32(registers, base, rounds);
        repeatedWrites32(registers, base, rounds);
        adjacentWrites32(registers, base, rounds);
        return sum + writeThenRead32(registers, base, rounds);
    }

    private static void unusedReads32(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.read32(base);
        }
    }

    private static long repeatedReads32(Registers registers, long base, int rounds) {
        long sum = 0;
        for (int i = 0; i < rounds; i++) {
            sum += registers.read32(base) + registers.read32(base);
        }
        return sum;
    }

    private static void repeatedWrites32(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.write32(base, 1);
            registers.write32(base, 2);
        }
    }

    private static void adjacentWrites32(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.write32(base, 1);
            registers.write32(base + 4, 2);
            registers.write32(base + 8, 3);
            registers.write32(base + 12, 4);
        }
    }

    private static long writeThenRead32(Registers registers, long base, int rounds) {
        long sum = 0;
        for (int i = 0; i < rounds; i++) {
            registers.write32(base, 3);
            sum += registers.read32(base);
        }
        return sum;
    }

    static long loops64(Registers registers, long base, int rounds) {
        unusedReads64(registers, base, rounds);
        long sum = repeatedReads64(registers, base, rounds);
        repeatedWrites64(registers, base, rounds);
        adjacentWrites64(registers, base, rounds);
        return sum + writeThenRead64(registers, base, rounds);
    }

    private static void unusedReads64(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.read64(base);
        }
    }

    private static long repeatedReads64(Registers registers, long base, int rounds) {
        long sum = 0;
        for (int i = 0; i < rounds; i++) {
            sum += registers.read64(base) + registers.read64(base);
        }
        return sum;
    }

    private static void repeatedWrites64(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.write64(base, 1);
            registers.write64(base, 2);
        }
    }

    private static void adjacentWrites64(Registers registers, long base, int rounds) {
        for (int i = 0; i < rounds; i++) {
            registers.write64(base, 1);
            registers.write64(base + 8, 2);
        }
    }

    private static long writeThenRead64(Registers registers, long base, int rounds) {
        long sum = 0;
        for (int i = 0; i < rounds; i++) {
            registers.write64(base, 3);
            sum += registers.read64(base);
        }
        return sum;
    }
}
