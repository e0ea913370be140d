package dev.outboard.rig;

import dev.outboard.memory.Registers;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Accesses that a compiler would like to change: unused reads, repeated reads, repeated writes, adjacent writes, of every
 * width asked for. Run it on a device whose accesses are counted by something else and compare with {@link #expected}:
 * kind, offset, width, value, count and order.
 *
 * <p>It uses the 16 bytes from a base on, which must be registers that can be written without harm. It writes small
 * numbers; what it reads it ignores, or adds up.
 *
 * @param base where the registers start, in bytes, a multiple of 8
 * @param widths the widths to use, in bytes
 * @param rounds how often each loop runs
 */
record RegisterExactnessProgram(long base, List<Integer> widths, int rounds) {
    private static final int SPAN_BYTES = 16;
    private static final long LAST_WRITTEN = 3;

    /** One access; what was read does not matter, and counts as 0. */
    record Access(MmioAccess.Kind kind, long offset, int widthBytes, long value) {
        static Access read(long offset, int widthBytes) {
            return new Access(MmioAccess.Kind.READ, offset, widthBytes, 0);
        }

        static Access write(long offset, int widthBytes, long value) {
            return new Access(MmioAccess.Kind.WRITE, offset, widthBytes, value);
        }
    }

    /** What a device must see, one by one. */
    List<Access> expected() {
        List<Access> accesses = new ArrayList<>();
        for (int width : widths) {
            Access read = Access.read(base, width);
            repeat(accesses, Stream.of(read));
            repeat(accesses, Stream.of(read, read));
            repeat(accesses, Stream.of(Access.write(base, width, 1), Access.write(base, width, 2)));
            repeat(
                    accesses,
                    LongStream.range(0, SPAN_BYTES / width)
                            .mapToObj(i -> Access.write(base + i * width, width, i + 1)));
            repeat(accesses, Stream.of(Access.write(base, width, LAST_WRITTEN), read));
        }
        return accesses;
    }

    private void repeat(List<Access> accesses, Stream<Access> body) {
        List<Access> round = body.toList();
        IntStream.range(0, rounds).forEach(i -> accesses.addAll(round));
    }

    /** Does the accesses, and returns a sum of what was read, so that it is used. */
    long run(Registers registers) {
        long sum = 0;
        for (int width : widths) {
            sum += switch (width) {
                case Byte.BYTES -> ExactnessLoops.loops8(registers, base, rounds);
                case Short.BYTES -> ExactnessLoops.loops16(registers, base, rounds);
                case Integer.BYTES -> ExactnessLoops.loops32(registers, base, rounds);
                case Long.BYTES -> ExactnessLoops.loops64(registers, base, rounds);
                default -> throw new IllegalArgumentException("no register is " + width + " bytes wide");
            };
        }
        return sum;
    }
}
