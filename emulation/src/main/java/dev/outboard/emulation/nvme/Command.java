package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;

/**
 * A command on its way: a copy of its entry, because the driver can change the entry in the queue at any time, and what
 * comes of it. One object serves all commands, one after the other. Offsets are those of {@link SubmissionEntry}.
 */
final class Command {
    /** What handlers return for a command that is not done yet: there is no completion for now. */
    static final int PENDING = -1;

    /** No place in the command is to blame. NVMe base specification 2.0, figure 206. */
    static final int NO_LOCATION = 0xffff;

    /** The namespace identifier that means all of them. */
    static final int ALL_NAMESPACES = -1;

    private static final int DWORDS = SubmissionEntry.SIZE_BYTES / Integer.BYTES;

    private final int[] dwords = new int[DWORDS];
    private int queueId;
    private long result;
    private int errorLocation;

    /** Takes a command over from a queue's memory. */
    void load(MemorySegment queue, long at, int queueIdentifier) {
        for (int i = 0; i < DWORDS; i++) {
            dwords[i] = queue.get(JAVA_INT, at + (long) i * Integer.BYTES);
        }
        queueId = queueIdentifier;
        result = 0;
        errorLocation = NO_LOCATION;
    }

    int dword(long offset) {
        return dwords[(int) offset / Integer.BYTES];
    }

    long qword(long offset) {
        return Integer.toUnsignedLong(dword(offset)) | (long) dword(offset + Integer.BYTES) << Integer.SIZE;
    }

    int queueId() {
        return queueId;
    }

    int opcode() {
        return (int) SubmissionEntry.OPCODE.get(dwords[0]);
    }

    int commandId() {
        return (int) SubmissionEntry.COMMAND_ID.get(dwords[0]);
    }

    int fuse() {
        return (int) SubmissionEntry.FUSE.get(dwords[0]);
    }

    /** How the data pointer is meant, one of the PSDT constants of {@link SubmissionEntry}. */
    int pointerKind() {
        return (int) SubmissionEntry.PSDT.get(dwords[0]);
    }

    int namespaceId() {
        return dword(SubmissionEntry.NSID);
    }

    /** Where a read or a write starts. */
    long firstBlock() {
        return qword(SubmissionEntry.CDW10);
    }

    /** How many blocks a read or a write has. */
    int blocks() {
        return (int) SubmissionEntry.NLB.get(dword(SubmissionEntry.CDW12)) + 1;
    }

    long result() {
        return result;
    }

    /** Sets dwords 0 and 1 of the completion. */
    void result(long value) {
        result = value;
    }

    int errorLocation() {
        return errorLocation;
    }

    /** Blames a place in the command, for the error log. Returns the status. */
    int invalid(long offset) {
        return invalid(offset, Status.INVALID_FIELD);
    }

    /** The same with another status. */
    int invalid(long offset, int status) {
        errorLocation = (int) offset;
        return status;
    }
}
