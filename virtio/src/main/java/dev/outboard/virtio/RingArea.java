package dev.outboard.virtio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A part of a virtqueue in memory that the other side accesses meanwhile. Reads of what it writes happen once each; what
 * has an order says so. Indexes are 16 bits, zero-extended.
 */
class RingArea {
    static final VarHandle SHORT =
            JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    static final VarHandle INT =
            JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    static final VarHandle LONG =
            JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();

    MemorySegment segment;

    RingArea(MemorySegment segment) {
        this.segment = segment;
    }

    final int getShort(long offset) {
        return Short.toUnsignedInt((short) SHORT.getOpaque(segment, offset));
    }

    final int getShortAcquire(long offset) {
        return Short.toUnsignedInt((short) SHORT.getAcquire(segment, offset));
    }

    // Stores of 16 bits are plain ones between fences: a release or opaque store is a locked exchange in the
    // interpreter,
    // and one of 16 bits that meets a SIGBUS, from memory that the other side truncated, ends the JVM.

    final void setShort(long offset, int value) {
        SHORT.set(segment, offset, (short) value);
    }

    final void setShortRelease(long offset, int value) {
        VarHandle.releaseFence();
        SHORT.set(segment, offset, (short) value);
        VarHandle.releaseFence();
    }

    final int getInt(long offset) {
        return (int) INT.getOpaque(segment, offset);
    }

    final void setInt(long offset, int value) {
        INT.set(segment, offset, value);
    }

    final long getLong(long offset) {
        return (long) LONG.getOpaque(segment, offset);
    }

    final long getLongAcquire(long offset) {
        return (long) LONG.getAcquire(segment, offset);
    }

    final void setLong(long offset, long value) {
        LONG.set(segment, offset, value);
    }

    final void setLongRelease(long offset, long value) {
        LONG.setRelease(segment, offset, value);
    }
}
