package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.emulation.DmaSpace;
import dev.outboard.specs.nvme.CompletionEntry;
import java.lang.invoke.VarHandle;

/** A completion queue, seen from the controller: it writes at the tail, the driver moves the head. */
final class CompletionQueue {
    private static final VarHandle WORD = JAVA_LONG.varHandle().withInvokeExactBehavior();

    // The second half of an entry as one word: SQ_HEAD and SQ_ID below, COMMAND_ID, PHASE and STATUS above.
    private static final int SQ_ID_SHIFT = CompletionEntry.SQ_ID.lowBit();
    private static final int DW3_SHIFT = Integer.SIZE;
    private static final int STATUS_SHIFT = DW3_SHIFT + CompletionEntry.STATUS.lowBit();
    private static final long PHASE = CompletionEntry.PHASE.mask() << DW3_SHIFT;

    private final int id;
    private final int entries;
    private final boolean interruptsEnabled;
    private final int vector;
    private final QueueMemory memory;
    private final Doorbells doorbells;
    private final long headDoorbell;
    private int head;
    private int tail;
    private long phase = PHASE;
    private int lastBadHead = -1;
    private boolean badDoorbell;
    private int submissionQueues;
    private int coalesced;
    private long coalescedSinceNanos;

    CompletionQueue(
            int id,
            int entries,
            long address,
            boolean interruptsEnabled,
            int vector,
            DmaSpace dma,
            Doorbells doorbells) {
        this.id = id;
        this.entries = entries;
        this.interruptsEnabled = interruptsEnabled;
        this.vector = vector;
        memory = new QueueMemory(dma, address, sizeBytes(entries), true);
        this.doorbells = doorbells;
        headDoorbell = doorbells.headOffset(id);
        doorbells.write(headDoorbell, 0);
    }

    static long sizeBytes(int entries) {
        return (long) entries * CompletionEntry.SIZE_BYTES;
    }

    int id() {
        return id;
    }

    boolean interruptsEnabled() {
        return interruptsEnabled;
    }

    int vector() {
        return vector;
    }

    void attach() {
        submissionQueues++;
    }

    void detach() {
        submissionQueues--;
    }

    boolean inUse() {
        return submissionQueues > 0;
    }

    /** How many entries can be written, of those that are wanted: there is room, and the client maps the memory. */
    int room(int wanted) {
        if (!memory.isMapped()) {
            return 0;
        }
        if (free() < wanted) {
            readHead();
        }
        return Math.min(free(), wanted);
    }

    private int free() {
        return entries - 1 - filled();
    }

    private int filled() {
        return tail - head + (tail < head ? entries : 0);
    }

    private void readHead() {
        int rung = doorbells.read(headDoorbell);
        if (rung == head) {
            return;
        }
        // The head may only move over entries that were written. NVMe base specification 2.0, 3.3.1.2.
        int taken = rung - head + (rung < head ? entries : 0);
        if (rung >= 0 && rung < entries && taken <= filled()) {
            head = rung;
        } else if (rung != lastBadHead) {
            lastBadHead = rung;
            badDoorbell = true;
        }
    }

    /** Adds entries that no interrupt has told of yet; returns how many there are. */
    int coalesce(int posted) {
        if (coalesced == 0) {
            coalescedSinceNanos = System.nanoTime();
        }
        coalesced += posted;
        return coalesced;
    }

    /** Whether entries have waited long enough for an interrupt. */
    boolean isOverdue(long nowNanos, long limitNanos) {
        return coalesced > 0 && nowNanos - coalescedSinceNanos >= limitNanos;
    }

    boolean isCoalescing() {
        return coalesced > 0;
    }

    void interrupted() {
        coalesced = 0;
    }

    /** Whether the driver has entries left to look at. */
    boolean hasUnseenEntries() {
        readHead();
        return head != tail;
    }

    /** Whether a doorbell value came that cannot be; once for each. */
    boolean takeBadDoorbell() {
        boolean bad = badDoorbell;
        badDoorbell = false;
        return bad;
    }

    /**
     * Writes an entry with dwords 0 and 1 in {@code result}; {@link #room} said that it can. Returns false if the client
     * does not take it.
     */
    boolean post(long result, int submissionQueue, int submissionHead, int commandId, int status) {
        long offset = (long) tail * CompletionEntry.SIZE_BYTES;
        long at = memory.base() + offset;
        long word = Integer.toUnsignedLong(submissionHead | submissionQueue << SQ_ID_SHIFT)
                | (long) commandId << DW3_SHIFT
                | phase
                | (long) status << STATUS_SHIFT;
        WORD.set(memory.segment(), at, result);
        // The phase goes last, in one store with the rest of its word, after the data.
        WORD.setRelease(memory.segment(), at + Long.BYTES, word);
        if (++tail == entries) {
            tail = 0;
            phase ^= PHASE;
        }
        return memory.store(offset, CompletionEntry.SIZE_BYTES);
    }
}
