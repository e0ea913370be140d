package dev.outboard.memory;

import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Accesses that a compiler would like to change: unused reads, repeated reads, repeated writes, adjacent writes, of every
 * width asked for. Run it on a device whose accesses are counted by something else (QEMU's trace, a recording
 * {@link RegisterAccess}) and compare with {@link #expected}: kind, offset, width, count and order.
 *
 * <p>It uses the 16 bytes from a base on, which must be registers that can be written without harm. It writes small
 * numbers; what it reads it ignores, or adds up. QEMU's edu: base 0x80 (the addresses of its DMA engine), widths 4 and 8.
 */
public final class RegisterExactnessProgram {
    /** How many bytes of registers are used, from the base on. */
    public static final int SPAN_BYTES = 16;

    /**
     * One access.
     *
     * @param write whether it is a write
     * @param offset its offset in the region, in bytes
     * @param widthBytes 1, 2, 4 or 8
     */
    public record Access(boolean write, long offset, int widthBytes) {
        @Override
        public String toString() {
            return (write ? "write" : "read") + " 0x" + Long.toHexString(offset) + " " + widthBytes;
        }
    }

    /**
     * Accesses that are repeated in order.
     *
     * @param name what a compiler would like to do with them
     * @param body the accesses of one round
     * @param rounds how many rounds
     */
    public record Step(String name, List<Access> body, int rounds) {}

    private final long base;
    private final List<Integer> widths;
    private final int rounds;

    /**
     * A program.
     *
     * @param base where the registers start, in bytes, a multiple of 8
     * @param widths the widths to use, in bytes
     * @param rounds how often each loop runs
     */
    public RegisterExactnessProgram(long base, List<Integer> widths, int rounds) {
        this.base = base;
        this.widths = List.copyOf(widths);
        this.rounds = rounds;
    }

    /**
     * What a device must see.
     *
     * @return every step, in order
     */
    public List<Step> steps() {
        List<Step> steps = new ArrayList<>();
        for (int width : widths) {
            Access read = new Access(false, base, width);
            Access write = new Access(true, base, width);
            List<Access> adjacent = IntStream.range(0, SPAN_BYTES / width)
                    .mapToObj(i -> new Access(true, base + (long) i * width, width))
                    .toList();
            steps.add(new Step("unused reads", List.of(read), rounds));
            steps.add(new Step("repeated reads", List.of(read, read), rounds));
            steps.add(new Step("repeated writes", List.of(write, write), rounds));
            steps.add(new Step("adjacent writes", adjacent, rounds));
            steps.add(new Step("write, then read", List.of(write, read), rounds));
        }
        return steps;
    }

    /**
     * What a device must see, one by one.
     *
     * @return every access, in order
     */
    public Stream<Access> expected() {
        return steps().stream()
                .flatMap(step -> IntStream.range(0, step.rounds()).boxed().flatMap(round -> step.body().stream()));
    }

    /**
     * Does the accesses.
     *
     * @param registers the registers
     * @return a sum of what was read, so that it is used
     */
    public long run(Registers registers) {
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

    /**
     * Runs it on a file that can be mapped: {@code FILE BASE WIDTHS ROUNDS [WARM]}, for example
     * {@code /sys/bus/pci/devices/0000:00:04.0/resource0 0x80 4,8 100 200000}. WARM rounds run on memory first, so that
     * the loops are compiled when they reach the device. Prints what must have been seen, one step a line.
     *
     * @param arguments see above
     * @throws IOException if the file cannot be mapped
     */
    public static void main(String... arguments) throws IOException {
        long base = Long.decode(arguments[1]);
        List<Integer> widths =
                Arrays.stream(arguments[2].split(",", -1)).map(Integer::valueOf).toList();
        int rounds = Integer.parseInt(arguments[3]);
        int warm = arguments.length > 4 ? Integer.parseInt(arguments[4]) : 0;
        long length = (base + SPAN_BYTES + DmaAllocator.PAGE_BYTES - 1) & -DmaAllocator.PAGE_BYTES;
        RegisterExactnessProgram program = new RegisterExactnessProgram(base, widths, rounds);
        try (Arena arena = Arena.ofShared();
                Fd file = Fd.open(arguments[0], Fd.O_RDWR | Fd.O_SYNC)) {
            // The same kind of segment and listener, or what was compiled for memory would not fit the device.
            Runnable allOnes = () -> {};
            if (warm > 0) {
                var memory = Mman.anonymous(length, Mman.MAP_SHARED, arena);
                new RegisterExactnessProgram(base, widths, warm).run(Registers.mapped("memory", memory, allOnes));
            }
            var mapping = file.mmap(0, length, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
            long sum = program.run(Registers.mapped(arguments[0], mapping, allOnes));
            System.out.println("sum 0x" + Long.toHexString(sum));
        }
        program.steps().forEach(RegisterExactnessProgram::print);
    }

    private static void print(Step step) {
        String body = step.body().stream().map(Access::toString).collect(Collectors.joining(", "));
        System.out.println(step.rounds() + " x (" + body + "): " + step.name());
    }
}
