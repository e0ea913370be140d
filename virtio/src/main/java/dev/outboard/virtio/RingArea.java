package dev.outboard.virtio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** A part of a virtqueue in the driver's memory, as the device finds it: looked up again once it was unmapped. */
final class RingArea {
    static final VarHandle SHORT =
            JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    static final VarHandle INT =
            JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    static final VarHandle LONG =
            JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();

    private final GuestMemory memory;
    private final long address;
    private final long bytes;
    private final boolean written;
    private @Nullable GuestRegion region;
    private MemorySegment segment = MemorySegment.NULL;

    RingArea(GuestMemory memory, long address, long bytes, boolean written) {
        this.memory = memory;
        this.address = address;
        this.bytes = bytes;
        this.written = written;
    }

    /** Whether there is such memory. To be asked before each batch of accesses. */
    boolean isReachable() {
        GuestRegion known = region;
        return (known != null && known.isMapped()) || find();
    }

    private boolean find() {
        GuestRegion found = written ? memory.writable(address, bytes) : memory.readable(address, bytes);
        region = found;
        if (found == null) {
            return false;
        }
        segment = found.segment().asSlice(address - found.address(), bytes);
        return true;
    }

    int getShort(long offset) {
        return Short.toUnsignedInt((short) SHORT.get(segment, offset));
    }

    int getShortAcquire(long offset) {
        return Short.toUnsignedInt((short) SHORT.getAcquire(segment, offset));
    }

    void setShort(long offset, int value) {
        SHORT.setOpaque(segment, offset, (short) value);
    }

    void setShortRelease(long offset, int value) {
        SHORT.setRelease(segment, offset, (short) value);
    }

    void setInt(long offset, int value) {
        INT.set(segment, offset, value);
    }

    long getLong(long offset) {
        return (long) LONG.getOpaque(segment, offset);
    }

    long getLongAcquire(long offset) {
        return (long) LONG.getAcquire(segment, offset);
    }

    void setLong(long offset, long value) {
        LONG.set(segment, offset, value);
    }
}
