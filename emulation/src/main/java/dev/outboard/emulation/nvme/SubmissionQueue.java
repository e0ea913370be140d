package dev.outboard.emulation.nvme;

import dev.outboard.emulation.DmaRegion;
import dev.outboard.emulation.DmaSpace;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import org.jspecify.annotations.Nullable;

/** A submission queue, seen from the controller: the driver moves the tail, the controller reads at the head. */
final class SubmissionQueue {
    private final int id;
    private final int entries;
    private final long address;
    private final CompletionQueue completions;
    private final int priority;
    private final DmaSpace dma;
    private final Doorbells doorbells;
    private final long tailDoorbell;
    private @Nullable DmaRegion region;
    private int head;
    private int tail;
    private int lastBadTail = -1;
    private boolean badDoorbell;
    private int fusedStatus = Status.MISSING_FUSED;
    private int fusedAt = -1;

    SubmissionQueue(
            int id,
            int entries,
            long address,
            CompletionQueue completions,
            int priority,
            DmaSpace dma,
            Doorbells doorbells) {
        this.id = id;
        this.entries = entries;
        this.address = address;
        this.completions = completions;
        this.priority = priority;
        this.dma = dma;
        this.doorbells = doorbells;
        tailDoorbell = doorbells.tailOffset(id);
        region = dma.readable(address, sizeBytes(entries));
        doorbells.write(tailDoorbell, 0);
    }

    static long sizeBytes(int entries) {
        return (long) entries * SubmissionEntry.SIZE_BYTES;
    }

    int id() {
        return id;
    }

    int head() {
        return head;
    }

    CompletionQueue completions() {
        return completions;
    }

    /** The class for weighted round robin: 0 is urgent, 3 low. */
    int priority() {
        return priority;
    }

    /** Looks at the doorbell; returns whether there are commands. */
    boolean poll() {
        int rung = doorbells.read(tailDoorbell);
        if (rung != tail) {
            setTail(rung);
        }
        return head != tail;
    }

    private void setTail(int rung) {
        if (rung >= 0 && rung < entries) {
            tail = rung;
        } else if (rung != lastBadTail) {
            lastBadTail = rung;
            badDoorbell = true;
        }
    }

    /** Whether a doorbell value came that cannot be; once for each. */
    boolean takeBadDoorbell() {
        boolean bad = badDoorbell;
        badDoorbell = false;
        return bad;
    }

    boolean isEmpty() {
        return head == tail;
    }

    /** Where the queue's memory is, or null if the client does not map it any more. */
    @Nullable
    DmaRegion region() {
        DmaRegion mapped = region;
        if (mapped == null || !mapped.isMapped()) {
            mapped = dma.readable(address, sizeBytes(entries));
            region = mapped;
        }
        return mapped;
    }

    /** Where the next command is in the region, which is taken from the queue by this. */
    long take(DmaRegion mapped) {
        long at = address - mapped.address() + (long) head * SubmissionEntry.SIZE_BYTES;
        head = head + 1 == entries ? 0 : head + 1;
        return at;
    }

    /** Where the next command is in the region, which stays in the queue; -1 if there is none. */
    long peek(DmaRegion mapped) {
        return isEmpty() ? -1 : address - mapped.address() + (long) head * SubmissionEntry.SIZE_BYTES;
    }

    /** Keeps what became of the next command, which was carried out together with the one before. */
    void setFusedStatus(int status) {
        fusedStatus = status;
        fusedAt = head;
    }

    /** What became of the command that was just taken, if it was carried out before. */
    int takeFusedStatus() {
        boolean isHere = fusedAt >= 0 && (fusedAt + 1 == entries ? 0 : fusedAt + 1) == head;
        fusedAt = -1;
        return isHere ? fusedStatus : Status.MISSING_FUSED;
    }
}
