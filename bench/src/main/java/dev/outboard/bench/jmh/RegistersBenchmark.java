package dev.outboard.bench.jmh;

import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Fd;
import dev.outboard.memory.Registers;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One register access through {@link Registers} to cached memory, and one update of a field by its definition. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class RegistersBenchmark {
    private static final int PAGE_BYTES = 4096;
    private static final int OFFSET = 64;
    private static final int DISTINCT = 3;

    private final DevicePages pages;
    private final Registers registers;
    private int value;

    /** Maps the memory that stands for a device. */
    public RegistersBenchmark() {
        try (Fd memory = Fd.memfd("registers", PAGE_BYTES)) {
            pages = DevicePages.map(memory, 0, PAGE_BYTES, true);
            registers = Registers.mapped("memory", pages, () -> {});
        } catch (IOException e) {
            // JMH's subclass of this class declares no exceptions.
            throw new UncheckedIOException(e);
        }
    }

    /** Unmaps it. */
    @TearDown
    public void close() {
        pages.close();
    }

    /**
     * A 32-bit read.
     *
     * @return the value, which JMH consumes
     */
    @Benchmark
    public int read32() {
        return registers.read32(OFFSET);
    }

    /** A 32-bit write. */
    @Benchmark
    public void write32() {
        registers.write32(OFFSET, value++);
    }

    /**
     * A 64-bit read.
     *
     * @return the value, which JMH consumes
     */
    @Benchmark
    public long read64() {
        return registers.read64(OFFSET);
    }

    /** A 64-bit write. */
    @Benchmark
    public void write64() {
        registers.write64(OFFSET, value++);
    }

    /** A read, a change of one field and a write, by the definitions of a register and its field. */
    @Benchmark
    public void updateField() {
        long word = registers.read(NvmeRegisters.CC);
        registers.write(NvmeRegisters.CC, NvmeRegisters.CC_SHN.set(word, value++ & DISTINCT));
    }
}
