package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.emulation.DmaRegion;
import dev.outboard.emulation.DmaSpace;
import dev.outboard.specs.nvme.CompletionEntry;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

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
    private final long address;
    private final boolean interruptsEnabled;
    private final int vector;
    private final DmaSpace dma;
    private final Doorbells doorbells;
    private final long headDoorbell;
    private @Nullable DmaRegion region;
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
        this.address = address;
        this.interruptsEnabled = interruptsEnabled;
        this.vector = vector;
        this.dma = dma;
        this.doorbells = doorbells;
        headDoorbell = doorbells.headOffset(id);
        region = dma.writable(address, sizeBytes(entries));
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

    /** Whether an entry can be written: there is room, and the client still maps the memory. */
    boolean ready() {
        DmaRegion mapped = region;
        if (mapped == null || !mapped.isMapped()) {
            region = dma.writable(address, sizeBytes(entries));
            if (region == null) {
                return false;
            }
        }
        int next = tail + 1 == entries ? 0 : tail + 1;
        if (next == head) {
            readHead();
        }
        return next != head;
    }

    /** Whether two more entries can be written. */
    boolean hasRoomForTwo() {
        if (!ready()) {
            return false;
        }
        readHead();
        int filled = tail - head + (tail < head ? entries : 0);
        return filled + 2 < entries;
    }

    private void readHead() {
        int rung = doorbells.read(headDoorbell);
        if (rung == head) {
            return;
        }
        // The head may only move over entries that were written. NVMe base specification 2.0, 3.3.1.2.
        int filled = tail - head + (tail < head ? entries : 0);
        int taken = rung - head + (rung < head ? entries : 0);
        if (rung >= 0 && rung < entries && taken <= filled) {
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

    /** Writes an entry with dwords 0 and 1 in {@code result}; {@link #ready} said that it can. */
    void post(long result, int submissionQueue, int submissionHead, int commandId, int status) {
        DmaRegion mapped = region;
        if (mapped == null) {
            throw new IllegalStateException("completion queue " + id + " is not ready");
        }
        long at = address - mapped.address() + (long) tail * CompletionEntry.SIZE_BYTES;
        long word = Integer.toUnsignedLong(submissionHead | submissionQueue << SQ_ID_SHIFT)
                | (long) commandId << DW3_SHIFT
                | phase
                | (long) status << STATUS_SHIFT;
        WORD.set(mapped.segment(), at, result);
        // The phase goes last, in one store with the rest of its word, after the data.
        WORD.setRelease(mapped.segment(), at + Long.BYTES, word);
        if (++tail == entries) {
            tail = 0;
            phase ^= PHASE;
        }
    }
}
