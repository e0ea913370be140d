package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;

/**
 * The commands that failed, the newest first, and the flags that their status gets. NVMe base specification 2.0,
 * 5.16.1.2. Recording one allocates nothing.
 */
final class ErrorLog {
    /** How many entries there are. */
    static final int ENTRIES = 64;

    private static final int MORE = (int) Status.MORE.mask();
    private static final int DO_NOT_RETRY = (int) Status.DNR.mask();
    private static final int PCI_EXPRESS = 0;
    private static final int PHASE_BITS = 1;

    private final int[] queues = new int[ENTRIES];
    private final int[] commands = new int[ENTRIES];
    private final int[] statuses = new int[ENTRIES];
    private final int[] locations = new int[ENTRIES];
    private final long[] blocks = new long[ENTRIES];
    private final int[] namespaces = new int[ENTRIES];
    private long count;

    /** Notes that a command failed. Returns its status with the flags. */
    int add(Command command, int code) {
        int status = code | MORE | (isTransient(code) ? 0 : DO_NOT_RETRY);
        int at = (int) (count % ENTRIES);
        queues[at] = command.queueId();
        commands[at] = command.commandId();
        statuses[at] = status;
        locations[at] = command.errorLocation();
        blocks[at] = command.queueId() == 0 ? 0 : command.firstBlock();
        namespaces[at] = command.dword(SubmissionEntry.NSID);
        count++;
        return status;
    }

    /** Whether the same command may succeed later. */
    private static boolean isTransient(int code) {
        return switch (code) {
            case Status.ABORT_REQUESTED,
                    Status.ABORTED_SQ_DELETION,
                    Status.FAILED_FUSED,
                    Status.MISSING_FUSED,
                    Status.SANITIZE_IN_PROGRESS,
                    Status.FORMAT_IN_PROGRESS,
                    Status.SELF_TEST_IN_PROGRESS,
                    Status.NAMESPACE_NOT_READY,
                    Status.COMMAND_INTERRUPTED,
                    Status.TOO_MANY_ACTIVE_ZONES,
                    Status.TOO_MANY_OPEN_ZONES,
                    Status.INTERNAL_ERROR -> true;
            default -> false;
        };
    }

    long count() {
        return count;
    }

    /** Fills the log page; returns its size. */
    int fill(MemorySegment page) {
        for (int i = 0; i < Math.min(count, ENTRIES); i++) {
            int at = (int) ((count - 1 - i) % ENTRIES);
            LogPage.ERROR_ENTRY
                    .view(page.asSlice((long) i * LogPage.ERROR_ENTRY_BYTES, LogPage.ERROR_ENTRY_BYTES))
                    .set("error_count", count - i)
                    .set("sqid", queues[at])
                    .set("cmdid", commands[at])
                    // As in the completion, above a phase that means nothing here.
                    .set("status_field", statuses[at] << PHASE_BITS)
                    .set("parm_error_location", locations[at])
                    .set("lba", blocks[at])
                    .set("nsid", namespaces[at])
                    .set("trtype", PCI_EXPRESS);
        }
        return ENTRIES * LogPage.ERROR_ENTRY_BYTES;
    }
}
