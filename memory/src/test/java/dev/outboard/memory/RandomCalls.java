package dev.outboard.memory;

import java.util.Random;

/** Calls on an mmap object, most of them sensible. */
final class RandomCalls {
    private static final int KINDS = 17;
    private static final int LONGEST = 40_000;

    private final Random random;
    private int size;

    RandomCalls(Random random, int size) {
        this.random = random;
        this.size = size;
    }

    String next() {
        return switch (random.nextInt(KINDS)) {
            case 0 -> "get " + index();
            case 1 -> "put " + index() + " " + random.nextInt(256);
            case 2 -> "slice " + bound() + " " + bound();
            case 3 -> "slice " + bound() + " " + bound() + " " + (random.nextInt(13) - 6);
            case 4 -> {
                int from = random.nextInt(size);
                int count = random.nextInt(Math.min(20, size - from + 2));
                yield "putslice " + from + " " + (from + count) + " " + bytes(count);
            }
            case 5 -> "read " + (random.nextInt(30) - 2);
            case 6 -> "read_byte";
            case 7, 8 -> "readline";
            case 9 -> "write " + bytes(random.nextInt(12));
            case 10 -> "write_byte " + random.nextInt(256);
            case 11 -> "seek " + random.nextInt(size + 1);
            case 12 ->
                random.nextBoolean() ? "seek " + (random.nextInt(21) - 10) + " 1" : "seek -" + index(size) + " 2";
            case 13 -> (random.nextBoolean() ? "find " : "rfind ") + bytes(random.nextInt(6));
            case 14 ->
                (random.nextBoolean() ? "find " : "rfind ") + bytes(random.nextInt(9)) + " " + index() + " " + index();
            case 15 -> "move " + index(size) + " " + index(size) + " " + index(size);
            default -> random.nextInt(4) != 0 ? "tell" : resize();
        };
    }

    private String resize() {
        size = 1 + random.nextInt(LONGEST);
        return "resize " + size;
    }

    private int index() {
        return random.nextInt(2 * size + 3) - size - 1;
    }

    private int index(int limit) {
        return random.nextInt(limit + 1);
    }

    private String bound() {
        return random.nextInt(6) == 0 ? "-" : Integer.toString(index());
    }

    private String bytes(int count) {
        StringBuilder text = new StringBuilder("x");
        for (int i = 0; i < count; i++) {
            text.append(random.nextInt(10) == 0 ? "0a" : "6" + (1 + random.nextInt(3)));
        }
        return text.toString();
    }
}
