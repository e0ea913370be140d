package dev.outboard.emulation.nvme;

import dev.outboard.emulation.DmaSpace;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;

/** A submission queue, seen from the controller: the driver moves the tail, the controller reads at the head. */
final class SubmissionQueue {
    private final int id;
    private final int entries;
    private final CompletionQueue completions;
    private final int priority;
    private final QueueMemory memory;
    private final Doorbells doorbells;
    private final long tailDoorbell;
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
        this.completions = completions;
        this.priority = priority;
        memory = new QueueMemory(dma, address, sizeBytes(entries), false);
        this.doorbells = doorbells;
        tailDoorbell = doorbells.tailOffset(id);
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

    /** How many commands wait. */
    int waiting() {
        return tail - head + (tail < head ? entries : 0);
    }

    /** Whether the client maps the queue's memory now; to be asked before commands are looked at. */
    boolean isMapped() {
        return memory.isMapped();
    }

    /** What {@link #peek} is an offset of. */
    MemorySegment segment() {
        return memory.segment();
    }

    /** Where the next command is in the queue's memory; -1 if there is none, or the client does not let it be read. */
    long peek() {
        long at = (long) head * SubmissionEntry.SIZE_BYTES;
        return isEmpty() || !memory.load(at, SubmissionEntry.SIZE_BYTES) ? -1 : memory.base() + at;
    }

    /** Takes the next command from the queue. */
    void take() {
        head = head + 1 == entries ? 0 : head + 1;
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
