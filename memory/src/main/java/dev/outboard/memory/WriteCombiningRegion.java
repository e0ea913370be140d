package dev.outboard.memory;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * A region that is mapped write-combining, as sysfs {@code resourceN_wc} maps a prefetchable BAR: frame buffers, packet
 * buffers, doorbells with data. The processor gathers stores and sends them in bursts, in any order, and as late as it
 * likes: nothing has left before {@link #flush}. So there is no read here, and a doorbell that is rung elsewhere comes
 * after a flush. Intel SDM volume 3, 13.3.1 (Buffering of write combining memory locations).
 *
 * <p>Safe for use by several threads; a flush sends what its own thread wrote.
 */
public final class WriteCombiningRegion {
    private final Registers registers;
    private final RegisterTransfer longs;

    private WriteCombiningRegion(Registers registers) {
        this.registers = registers;
        this.longs = RegisterTransfer.of(registers, Long.SIZE);
    }

    /**
     * A view of registers that are mapped write-combining.
     *
     * @param registers the region
     * @return the view
     * @throws IllegalArgumentException if it is not mapped as a whole: calls and messages do not combine
     */
    public static WriteCombiningRegion of(Registers registers) {
        if (!registers.isMapped()) {
            throw new IllegalArgumentException(registers + " is not mapped, so its writes are not combined");
        }
        return new WriteCombiningRegion(registers);
    }

    /**
     * Stores 32 bits.
     *
     * @param at the offset, in bytes
     * @param value the value
     */
    public void write32(long at, int value) {
        registers.write32(at, value);
    }

    /**
     * Stores 64 bits.
     *
     * @param at the offset, in bytes
     * @param value the value
     */
    public void write64(long at, long value) {
        registers.write64(at, value);
    }

    /**
     * Stores a block, 64 bits at a time, in order.
     *
     * @param at the offset, in bytes, a multiple of 8
     * @param source where from, a multiple of 8 bytes long
     */
    public void write(long at, MemorySegment source) {
        longs.write(at, source);
    }

    /** Sends everything that this thread stored, before anything that it stores later. It costs some 20 ns. */
    public void flush() {
        // A locked instruction or mfence, which drain the buffers; a release fence does not.
        VarHandle.fullFence();
    }

    @Override
    public String toString() {
        return registers + ", write-combining";
    }
}
