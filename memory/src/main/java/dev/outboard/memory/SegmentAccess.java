package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Registers in a segment, with all that it checks. Exact for the reasons that {@link Registers} gives. */
record SegmentAccess(MemorySegment memory) implements RegisterAccess {
    private static final VarHandle BYTE = exact(JAVA_BYTE);
    private static final VarHandle SHORT = exact(JAVA_SHORT);
    private static final VarHandle INT = exact(JAVA_INT);
    private static final VarHandle LONG = exact(JAVA_LONG);

    private static VarHandle exact(ValueLayout layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    }

    @Override
    public long read(long offset, int widthBytes) {
        return switch (widthBytes) {
            case Byte.BYTES -> (byte) BYTE.getOpaque(memory, offset);
            case Short.BYTES -> (short) SHORT.getOpaque(memory, offset);
            case Integer.BYTES -> (int) INT.getOpaque(memory, offset);
            default -> (long) LONG.getOpaque(memory, offset);
        };
    }

    @Override
    public void write(long offset, int widthBytes, long value) {
        switch (widthBytes) {
            case Byte.BYTES -> BYTE.set(memory, offset, (byte) value);
            case Short.BYTES -> SHORT.set(memory, offset, (short) value);
            case Integer.BYTES -> INT.set(memory, offset, (int) value);
            default -> LONG.set(memory, offset, value);
        }
    }
}
