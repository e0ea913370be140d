package dev.outboard.nvme;

import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Opcode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Two buffers that an emulated controller takes its doorbells from: what the driver rings, and how far the controller has
 * to hear of it by a register, which is an exit of a virtual machine or a message. They are laid out as the registers are.
 * NVMe base specification 2.0, 5.8 and B.5.
 *
 * <p>The admin queue keeps its registers: controllers do not look for it here, because Linux's driver never stored it.
 */
final class ShadowDoorbells {
    private static final VarHandle POSITION = ValueLayout.JAVA_INT.varHandle().withInvokeExactBehavior();
    private static final int POSITION_MASK = 0xffff;

    private final DmaMemory positions;
    private final DmaMemory eventIndexes;

    /** Buffers for the doorbells of so many queue pairs, the admin queue's among them. */
    ShadowDoorbells(ControllerAccess access, int queuePairs) throws IOException {
        long needed = NvmeRegisters.submissionTailDoorbell(queuePairs, access.doorbellStride());
        // One page is what the specification speaks of; Linux's driver has as many as it needs, so controllers know
        // both.
        long bytes = Math.max(needed, access.pageBytes());
        positions = access.dma().allocate(bytes, access.pageBytes());
        eventIndexes = access.dma().allocate(bytes, access.pageBytes());
    }

    /** Tells a controller that was just enabled where the buffers are. */
    NvmeCommand configuration() {
        positions.segment().fill((byte) 0);
        eventIndexes.segment().fill((byte) 0);
        return NvmeCommand.of(Opcode.DOORBELL_BUFFER_CONFIG)
                .pointers(positions.deviceAddress(), eventIndexes.deviceAddress());
    }

    /** The shadow of the register at an offset from the first doorbell. */
    Shadow at(long offset) {
        return new Shadow(positions.segment(), eventIndexes.segment(), offset);
    }

    /** Gives the buffers back; the controller must not use them any more. */
    void free() {
        positions.close();
        eventIndexes.close();
    }

    /** One of them. For the thread of its queue. */
    static final class Shadow {
        private final MemorySegment positions;
        private final MemorySegment eventIndexes;
        private final long offset;
        private int stored;

        Shadow(MemorySegment positions, MemorySegment eventIndexes, long offset) {
            this.positions = positions;
            this.eventIndexes = eventIndexes;
            this.offset = offset;
        }

        /** Stores a position; returns whether the controller asks to be told of it by the register. */
        boolean store(int position) {
            int before = stored;
            stored = position;
            POSITION.setRelease(positions, offset, position);
            // The controller stores its event index, then looks at the position: one of both sees what the other
            // stored.
            VarHandle.fullFence();
            return passes((int) POSITION.getAcquire(eventIndexes, offset), before, position);
        }

        void clear() {
            stored = 0;
            POSITION.setRelease(eventIndexes, offset, 0);
            POSITION.setRelease(positions, offset, 0);
        }
    }

    /** Whether the way from one position to the next, of 16 bits, leaves the event index behind. */
    static boolean passes(int eventIndex, int before, int after) {
        return ((after - eventIndex - 1) & POSITION_MASK) < ((after - before) & POSITION_MASK);
    }
}
