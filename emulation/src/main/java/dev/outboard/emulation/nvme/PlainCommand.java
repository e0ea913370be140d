package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.linux.Prefetch;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A read or write with nothing special about it: most of what a controller is asked for. It is checked when it is taken
 * from its queue, and carried out later, so that several fetch their data from memory at the same time.
 */
final class PlainCommand {
    private static final int PLAIN_MASK =
            (int) (SubmissionEntry.OPCODE.mask() | SubmissionEntry.FUSE.mask() | SubmissionEntry.PSDT.mask());
    private static final int COMMAND_ID_SHIFT = SubmissionEntry.COMMAND_ID.lowBit();
    // The processor itself fetches what follows; more than these would only wait for each other.
    private static final int LINES_AHEAD = 2;

    private final Namespaces namespaces;
    private final DataPointer data;
    private final Statistics statistics;
    private final long maximumTransferBytes;
    private final @Nullable HostMemory hostMemory;
    private @Nullable Namespace namespace;
    private int dword0;
    private int dword12;
    private long first;
    private long prp1;
    private long prp2;
    private long at;
    private int submissionHead;
    private int status;

    PlainCommand(
            Namespaces namespaces,
            DataPointer data,
            Statistics statistics,
            long maximumTransferBytes,
            @Nullable HostMemory hostMemory) {
        this.namespaces = namespaces;
        this.data = data;
        this.statistics = statistics;
        this.maximumTransferBytes = maximumTransferBytes;
        this.hostMemory = hostMemory;
    }

    /**
     * Reads the entry at an offset of a queue's memory, each word once, because the driver may change it. Returns whether
     * it is a plain read or write of blocks that are there, of a namespace that needs no other check.
     */
    boolean load(MemorySegment queue, long offset) {
        dword0 = queue.get(JAVA_INT, offset + SubmissionEntry.CDW0);
        int kind = dword0 & PLAIN_MASK;
        if (kind != Opcode.READ && kind != Opcode.WRITE) {
            return false;
        }
        Namespace named = namespaces.get(queue.get(JAVA_INT, offset + SubmissionEntry.NSID));
        if (named == null || !named.isPlain()) {
            return false;
        }
        namespace = named;
        first = queue.get(JAVA_LONG, offset + SubmissionEntry.CDW10);
        dword12 = queue.get(JAVA_INT, offset + SubmissionEntry.CDW12);
        if (!named.contains(first, blocks()) || blocks() << named.blockShift() > maximumTransferBytes) {
            return false;
        }
        prp1 = queue.get(JAVA_LONG, offset + SubmissionEntry.PRP1);
        prp2 = queue.get(JAVA_LONG, offset + SubmissionEntry.PRP2);
        at = offset;
        return true;
    }

    private long blocks() {
        return (dword12 & SubmissionEntry.NLB.mask()) + 1;
    }

    /** The command was taken from its queue, whose head is here since. */
    void taken(int head) {
        submissionHead = head;
    }

    /** Starts to fetch the first blocks from memory. */
    void prefetch() {
        Namespace named = namespace;
        if (named != null) {
            Prefetch.lines(named.data(), first << named.blockShift(), LINES_AHEAD);
        }
    }

    /** Carries it out. */
    void execute(boolean writeThrough) {
        Namespace named = namespace;
        if (named == null) {
            throw new IllegalStateException("no command was loaded");
        }
        long offset = first << named.blockShift();
        long bytes = blocks() << named.blockShift();
        if (hostMemory != null && !hostMemory.lookUp(named, offset, bytes)) {
            status = Status.INTERNAL_ERROR;
            return;
        }
        if ((dword0 & PLAIN_MASK) == Opcode.READ) {
            statistics.read(bytes);
            status = data.toHost(prp1, prp2, named.data(), offset, bytes);
            return;
        }
        statistics.written(bytes);
        status = data.fromHost(prp1, prp2, named.data(), offset, bytes);
        if (writeThrough || SubmissionEntry.FUA.isSet(dword12)) {
            named.flush(first, blocks());
        }
    }

    /** What became of it, without flags. */
    int status() {
        return status;
    }

    int commandId() {
        return dword0 >>> COMMAND_ID_SHIFT;
    }

    int submissionHead() {
        return submissionHead;
    }

    /** Where the entry is in the queue's memory. */
    long at() {
        return at;
    }
}
