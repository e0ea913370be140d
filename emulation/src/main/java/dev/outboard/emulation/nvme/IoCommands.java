package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;

/** The I/O commands of the NVM command set 1.0, on the one namespace. Allocates nothing. */
final class IoCommands {
    static final int NAMESPACE = 1;
    static final int ALL_NAMESPACES = -1;
    static final int DO_NOT_RETRY = (int) Status.DNR.mask();

    private final BackingStore store;
    private final MemorySegment blocks;
    private final int blockShift;
    private final long blockCount;
    private final long maximumTransferBytes;
    private final DataPointer data;
    private final Statistics statistics;

    IoCommands(
            BackingStore store,
            int blockSizeBytes,
            long maximumTransferBytes,
            DataPointer data,
            Statistics statistics) {
        this.store = store;
        this.maximumTransferBytes = maximumTransferBytes;
        this.data = data;
        this.statistics = statistics;
        blocks = store.segment();
        blockShift = Integer.numberOfTrailingZeros(blockSizeBytes);
        blockCount = blocks.byteSize() >>> blockShift;
    }

    /** Carries out the command at an offset of a queue's memory. Returns its status. */
    int execute(MemorySegment queue, long at, int dword0) {
        int opcode = dword0 & 0xff;
        int namespace = queue.get(JAVA_INT, at + SubmissionEntry.NSID);
        if ((dword0 & (int) (SubmissionEntry.FUSE.mask() | SubmissionEntry.PSDT.mask())) != 0) {
            return Status.INVALID_FIELD | DO_NOT_RETRY;
        }
        return switch (opcode) {
            case Opcode.READ, Opcode.WRITE -> transfer(queue, at, opcode, namespace);
            case Opcode.FLUSH -> flush(namespace);
            case Opcode.WRITE_ZEROES -> writeZeroes(queue, at, namespace);
            default -> Status.INVALID_OPCODE | DO_NOT_RETRY;
        };
    }

    private int transfer(MemorySegment queue, long at, int opcode, int namespace) {
        if (namespace != NAMESPACE) {
            return Status.INVALID_NAMESPACE | DO_NOT_RETRY;
        }
        long first = queue.get(JAVA_LONG, at + SubmissionEntry.CDW10);
        int dword12 = queue.get(JAVA_INT, at + SubmissionEntry.CDW12);
        long count = (dword12 & SubmissionEntry.NLB.mask()) + 1;
        if (!inRange(first, count)) {
            return Status.LBA_OUT_OF_RANGE | DO_NOT_RETRY;
        }
        long bytes = count << blockShift;
        if (bytes > maximumTransferBytes) {
            return Status.INVALID_FIELD | DO_NOT_RETRY;
        }
        long prp1 = queue.get(JAVA_LONG, at + SubmissionEntry.PRP1);
        long prp2 = queue.get(JAVA_LONG, at + SubmissionEntry.PRP2);
        if (opcode == Opcode.READ) {
            statistics.read(bytes);
            return data.toHost(prp1, prp2, blocks, first << blockShift, bytes);
        }
        statistics.written(bytes);
        int status = data.fromHost(prp1, prp2, blocks, first << blockShift, bytes);
        if (SubmissionEntry.FUA.isSet(dword12)) {
            store.flush(first << blockShift, bytes);
        }
        return status;
    }

    private boolean inRange(long first, long count) {
        // Unsigned: the address comes from the driver.
        return count <= blockCount && Long.compareUnsigned(first, blockCount - count) <= 0;
    }

    private int flush(int namespace) {
        if (namespace != NAMESPACE && namespace != ALL_NAMESPACES) {
            return Status.INVALID_NAMESPACE | DO_NOT_RETRY;
        }
        store.flush(0, blocks.byteSize());
        return Status.SUCCESS;
    }

    private int writeZeroes(MemorySegment queue, long at, int namespace) {
        if (namespace != NAMESPACE) {
            return Status.INVALID_NAMESPACE | DO_NOT_RETRY;
        }
        long first = queue.get(JAVA_LONG, at + SubmissionEntry.CDW10);
        long count = (queue.get(JAVA_INT, at + SubmissionEntry.CDW12) & SubmissionEntry.NLB.mask()) + 1;
        if (!inRange(first, count)) {
            return Status.LBA_OUT_OF_RANGE | DO_NOT_RETRY;
        }
        blocks.asSlice(first << blockShift, count << blockShift).fill((byte) 0);
        return Status.SUCCESS;
    }
}
