package dev.outboard.bench.jmh;

import dev.outboard.memory.MappedFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
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

/** What {@link MappedFile} does without making an array of what it reads. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class MappedFileBenchmark {
    private static final int FILE_BYTES = 1 << 16;
    private static final byte[] SOUGHT = "needle in the hay".getBytes(StandardCharsets.US_ASCII);

    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(4096, 64);
    private final MappedFile file;
    private int index;

    /** Maps the file. */
    public MappedFileBenchmark() {
        try {
            file = MappedFile.anonymous(FILE_BYTES);
        } catch (IOException e) {
            // JMH's subclass of this class declares no exceptions.
            throw new UncheckedIOException(e);
        }
    }

    /** Unmaps it. */
    @TearDown
    public void close() {
        file.close();
        arena.close();
    }

    private int next() {
        index = (index + 1) % (FILE_BYTES / 2);
        return index;
    }

    /**
     * One byte, by index.
     *
     * @return the byte, which JMH consumes
     */
    @Benchmark
    public int get() {
        return file.get(next());
    }

    /** One byte, by index. */
    @Benchmark
    public void put() {
        file.put(next(), 0);
    }

    /**
     * One byte at the position.
     *
     * @return the byte, which JMH consumes
     */
    @Benchmark
    public int seekAndReadByte() {
        file.seek(next());
        return file.readByte();
    }

    /** Bytes at the position. */
    @Benchmark
    public void seekAndWrite() {
        file.seek(FILE_BYTES / 2 + next() / 2);
        file.write(SOUGHT);
    }

    /** 4 KiB into memory that is there. */
    @Benchmark
    public void readIntoSegment() {
        buffer.copyFrom(file.segment().asSlice(next(), buffer.byteSize()));
    }

    /** 4 KiB within the file. */
    @Benchmark
    public void move() {
        file.move(0, next(), buffer.byteSize());
    }

    /**
     * A search of 32 KiB that finds nothing.
     *
     * @return −1, which JMH consumes
     */
    @Benchmark
    public long find() {
        return file.find(SOUGHT, 0, FILE_BYTES / 2);
    }

    /**
     * The same from the end.
     *
     * @return −1, which JMH consumes
     */
    @Benchmark
    public long rfind() {
        return file.rfind(SOUGHT, 0, FILE_BYTES / 2);
    }
}
