package dev.outboard.nvme;

import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.DmaWords;
import dev.outboard.memory.Registers;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The ring that commands are written to. Its owner sees to it that it never overflows. */
final class SubmissionQueue implements AutoCloseable {
    private static final int WORDS = SubmissionEntry.SIZE_BYTES / Long.BYTES;

    /** The ring; or where commands are put together that the controller finds in its own memory. */
    private final DmaMemory memory;

    private final DmaWords ring;
    private final DeviceMemory.@Nullable Piece piece;
    private final @Nullable Registers deviceRing;
    private final int entries;
    private final Doorbell tailDoorbell;
    private int tail;
    private int announcedTail;

    SubmissionQueue(ControllerAccess access, int id, int entries) throws IOException {
        this.entries = entries;
        tailDoorbell = access.submissionTail(id);
        tailDoorbell.clear();
        long bytes = (long) entries * SubmissionEntry.SIZE_BYTES;
        memory = access.dma().allocate(bytes, access.pageBytes());
        ring = new DmaWords(memory);
        piece = id == 0 || access.memory() == null ? null : access.memory().allocateSubmissionQueue(bytes);
        deviceRing = piece == null ? null : piece.registers();
    }

    /** Where the controller finds the ring. */
    long deviceAddress() {
        return piece == null ? memory.deviceAddress() : piece.deviceAddress();
    }

    int entries() {
        return entries;
    }

    /** Writes a command, whose flags (fuse, PSDT) are above its opcode. The controller does not look at it before {@link #announce}. */
    void add(
            int opcode,
            int commandId,
            int namespaceId,
            long metadata,
            long prp1,
            long prp2,
            long dwords10And11,
            long dwords12And13,
            long dwords14And15,
            long dwords2And3) {
        long at = (long) tail * SubmissionEntry.SIZE_BYTES;
        long dwords0And1 = ((long) namespaceId << Integer.SIZE) | ((long) commandId << Short.SIZE) | opcode;
        ring.setLongs(at, dwords0And1, dwords2And3, metadata, prp1, prp2, dwords10And11, dwords12And13, dwords14And15);
        tail = tail + 1 == entries ? 0 : tail + 1;
    }

    boolean hasUnannounced() {
        return tail != announcedTail;
    }

    /** Tells the controller of all commands that were added. */
    void announce() {
        if (deviceRing != null) {
            store(deviceRing);
        }
        announcedTail = tail;
        tailDoorbell.ring(tail);
    }

    /** Device memory is stored to in whole words, in order. */
    private void store(Registers target) {
        for (int entry = announcedTail; entry != tail; entry = entry + 1 == entries ? 0 : entry + 1) {
            long at = (long) entry * SubmissionEntry.SIZE_BYTES;
            for (int word = 0; word < WORDS; word++, at += Long.BYTES) {
                target.write64(at, ring.getLong(at));
            }
        }
    }

    /** Empties the ring: the controller starts from its beginning, too. */
    void clear() {
        memory.segment().fill((byte) 0);
        tailDoorbell.clear();
        tail = 0;
        announcedTail = 0;
    }

    @Override
    public void close() {
        memory.close();
        if (piece != null) {
            piece.close();
        }
    }
}
