package dev.outboard.emulation.idio;

import dev.outboard.memory.Mapping;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a card is wired to: four bytes of memory. The world writes the levels of the inputs to the first two, and reads
 * those of the outputs from the last two, little-endian. As a file any program can be the world. Any thread may use them.
 */
final class Terminals implements AutoCloseable {
    private static final ValueLayout.OfShort LINES = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LEVELS = LINES.varHandle();
    private static final long INPUTS = 0;
    private static final long OUTPUTS = 2;
    private static final long BYTES = 4;

    private final MemorySegment memory;
    private final @Nullable Mapping mapping;

    private Terminals(MemorySegment memory, @Nullable Mapping mapping) {
        this.memory = memory;
        this.mapping = mapping;
    }

    static Terminals in(@Nullable Path file) throws IOException {
        if (file == null) {
            return new Terminals(Arena.ofAuto().allocate(BYTES, Short.BYTES), null);
        }
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            if (open.length() < BYTES) {
                open.setLength(BYTES);
            }
        }
        Mapping mapping = Mapping.file(file).length(BYTES).readWrite().shared().map();
        return new Terminals(mapping.segment(), mapping);
    }

    int inputs() {
        return get(INPUTS);
    }

    void setInputs(int levels) {
        set(INPUTS, levels);
    }

    int outputs() {
        return get(OUTPUTS);
    }

    void setOutputs(int levels) {
        set(OUTPUTS, levels);
    }

    // Not setVolatile: it becomes a locked exchange, at which a SIGBUS, from a file that somebody truncated, ends the
    // JVM.
    private void set(long at, int levels) {
        LEVELS.setRelease(memory, at, (short) levels);
        VarHandle.fullFence();
    }

    private int get(long at) {
        return Short.toUnsignedInt((short) LEVELS.getVolatile(memory, at));
    }

    @Override
    public void close() {
        if (mapping != null) {
            mapping.close();
        }
    }
}
