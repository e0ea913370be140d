package dev.outboard.nvme;

import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.DmaWords;
import dev.outboard.specs.nvme.CompletionEntry;
import java.io.IOException;

/** The ring that the controller writes completions to. Entries are known to be new by their phase bit. */
final class CompletionQueue implements AutoCloseable {
    private final DmaMemory memory;
    private final DmaWords ring;
    private final int entries;
    private final Doorbell headDoorbell;
    private int head;
    private int phase = 1;
    private int unacknowledged;

    CompletionQueue(ControllerAccess access, int id, int entries) throws IOException {
        this.entries = entries;
        headDoorbell = access.completionHead(id);
        headDoorbell.clear();
        memory = access.dma().allocate((long) entries * CompletionEntry.SIZE_BYTES, access.pageBytes());
        ring = new DmaWords(memory);
    }

    /** Where the controller finds the ring. */
    long deviceAddress() {
        return memory.deviceAddress();
    }

    int entries() {
        return entries;
    }

    /**
     * Dwords 2 and 3 of the entry at the head: what of the submission queue was read; the command identifier, the phase and
     * the status. With acquire ordering: the rest of the entry, and the data that the command transferred, are read after
     * it.
     */
    long peek() {
        return ring.getLongAcquire(at() + CompletionEntry.DW2);
    }

    /** Whether an entry that was peeked at is new. */
    boolean isNew(long dwords2And3) {
        return (dwords2And3 >>> (Integer.SIZE + CompletionEntry.PHASE.lowBit()) & 1) == phase;
    }

    /** Dwords 0 and 1 of the entry at the head. */
    long result() {
        return ring.getLong(at() + CompletionEntry.DW0);
    }

    private long at() {
        return (long) head * CompletionEntry.SIZE_BYTES;
    }

    /** Goes on to the next entry. */
    void advance() {
        if (++head == entries) {
            head = 0;
            phase ^= 1;
        }
        unacknowledged++;
    }

    /** How many entries were taken that the controller may not use again yet. */
    int unacknowledged() {
        return unacknowledged;
    }

    /** Lets the controller use again the entries that were taken. */
    void acknowledge() {
        unacknowledged = 0;
        headDoorbell.ring(head);
    }

    /** Empties the ring: the controller starts from its beginning, too. */
    void clear() {
        memory.segment().fill((byte) 0);
        headDoorbell.clear();
        head = 0;
        phase = 1;
        unacknowledged = 0;
    }

    @Override
    public void close() {
        memory.close();
    }
}
