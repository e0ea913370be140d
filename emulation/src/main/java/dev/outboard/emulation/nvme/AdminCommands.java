package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.emulation.DmaSpace;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The admin commands. NVMe base specification 2.0, chapter 5. */
final class AdminCommands {
    private static final int DO_NOT_RETRY = IoCommands.DO_NOT_RETRY;
    private static final int NOT_ABORTED = 1;
    private static final int SMALLEST_QUEUE = 2;
    private static final int FIRST_RESERVED_NAMESPACE = -2;

    private final QueueSet queues;
    private final DmaSpace dma;
    private final int vectors;
    private final DataPointer data;
    private final IdentifyData identify;
    private final LogPages logs;
    private final Features features;
    private final AsynchronousEvents events = new AsynchronousEvents();
    private final MemorySegment page;

    AdminCommands(
            QueueSet queues,
            DmaSpace dma,
            int vectors,
            DataPointer data,
            IdentifyData identify,
            LogPages logs,
            Arena arena) {
        this.queues = queues;
        this.dma = dma;
        this.vectors = vectors;
        this.data = data;
        this.identify = identify;
        this.logs = logs;
        features = new Features(queues.highestId(), vectors);
        page = arena.allocate(Identify.SIZE_BYTES, Identify.SIZE_BYTES);
    }

    void reset() {
        features.reset();
        events.clear();
    }

    void reportBadDoorbell() {
        events.report(AsynchronousEvents.INVALID_DOORBELL_VALUE);
    }

    /** Answers the requests for events that something happened for; returns how many. */
    int completeEvents() {
        CompletionQueue completion = queues.completion(0);
        SubmissionQueue submission = queues.submission(0);
        if (!events.canComplete() || completion == null || submission == null || !completion.ready()) {
            return 0;
        }
        completion.post(events.takeEvent(), 0, submission.head(), events.takeRequest(), Status.SUCCESS);
        queues.interrupt(completion);
        return 1;
    }

    /** Carries out the command at an offset of the admin queue's memory. Returns a {@link Completion}. */
    long execute(MemorySegment queue, long at, int dword0) {
        if ((dword0 & (int) (SubmissionEntry.FUSE.mask() | SubmissionEntry.PSDT.mask())) != 0) {
            return failed(Status.INVALID_FIELD);
        }
        int namespace = queue.get(JAVA_INT, at + SubmissionEntry.NSID);
        long prp1 = queue.get(JAVA_LONG, at + SubmissionEntry.PRP1);
        long prp2 = queue.get(JAVA_LONG, at + SubmissionEntry.PRP2);
        int dword10 = queue.get(JAVA_INT, at + SubmissionEntry.CDW10);
        int dword11 = queue.get(JAVA_INT, at + SubmissionEntry.CDW11);
        return switch (dword0 & 0xff) {
            case Opcode.IDENTIFY -> identify(namespace, (int) SubmissionEntry.CNS.get(dword10), prp1, prp2);
            case Opcode.CREATE_IO_COMPLETION_QUEUE -> createCompletionQueue(prp1, dword10, dword11);
            case Opcode.CREATE_IO_SUBMISSION_QUEUE -> createSubmissionQueue(prp1, dword10, dword11);
            case Opcode.DELETE_IO_COMPLETION_QUEUE -> deleteCompletionQueue(dword10);
            case Opcode.DELETE_IO_SUBMISSION_QUEUE -> deleteSubmissionQueue(dword10);
            case Opcode.GET_FEATURES -> features.get(dword10, dword11);
            case Opcode.SET_FEATURES -> features.set(dword10, dword11, queues.hasIoQueues());
            case Opcode.GET_LOG_PAGE -> {
                long offset = queue.get(JAVA_LONG, at + SubmissionEntry.CDW12);
                yield getLogPage(dword10, dword11, offset, prp1, prp2);
            }
            // Commands are done as soon as they are seen: there is never one to abort.
            case Opcode.ABORT -> Completion.success(NOT_ABORTED);
            case Opcode.ASYNCHRONOUS_EVENT_REQUEST ->
                events.request((int) SubmissionEntry.COMMAND_ID.get(dword0))
                        ? Completion.NONE
                        : failed(Status.EVENT_REQUEST_LIMIT_EXCEEDED);
            default -> failed(Status.INVALID_OPCODE);
        };
    }

    private static long failed(int status) {
        return Completion.status(status | DO_NOT_RETRY);
    }

    private long identify(int namespace, int what, long prp1, long prp2) {
        switch (what) {
            case Identify.CNS_CONTROLLER -> identify.controller(page);
            case Identify.CNS_NAMESPACE -> {
                if (namespace != IoCommands.NAMESPACE) {
                    return failed(Status.INVALID_NAMESPACE);
                }
                identify.namespace(page);
            }
            case Identify.CNS_ACTIVE_NAMESPACES -> {
                if (Integer.compareUnsigned(namespace, FIRST_RESERVED_NAMESPACE) >= 0) {
                    return failed(Status.INVALID_NAMESPACE);
                }
                identify.activeNamespaces(page, namespace);
            }
            case Identify.CNS_NAMESPACE_DESCRIPTORS -> {
                if (namespace != IoCommands.NAMESPACE) {
                    return failed(Status.INVALID_NAMESPACE);
                }
                identify.namespaceDescriptors(page);
            }
            default -> {
                return failed(Status.INVALID_FIELD);
            }
        }
        return Completion.status(data.toHost(prp1, prp2, page, 0, Identify.SIZE_BYTES));
    }

    private long getLogPage(int dword10, int dword11, long offset, long prp1, long prp2) {
        int size = logs.fill((int) SubmissionEntry.LOG_ID.get(dword10), page);
        if (size == 0) {
            return failed(Status.INVALID_LOG_PAGE);
        }
        if (offset < 0 || offset > size || (offset & (Integer.BYTES - 1)) != 0) {
            return failed(Status.INVALID_FIELD);
        }
        long dwords =
                (LogPage.NUMBER_OF_DWORDS_HIGH.get(dword11) << Short.SIZE | LogPage.NUMBER_OF_DWORDS_LOW.get(dword10))
                        + 1;
        // What a host reads beyond the end of a log is undefined: zeros as far as the page goes, then nothing.
        long bytes = Math.min(dwords * Integer.BYTES, page.byteSize() - offset);
        return Completion.status(data.toHost(prp1, prp2, page, offset, bytes));
    }

    private long createCompletionQueue(long address, int dword10, int dword11) {
        int id = (int) SubmissionEntry.QUEUE_ID.get(dword10);
        int entries = (int) SubmissionEntry.QUEUE_SIZE.get(dword10) + 1;
        int vector = (int) SubmissionEntry.INTERRUPT_VECTOR.get(dword11);
        if (id == 0 || id > queues.highestId() || queues.completion(id) != null) {
            return failed(Status.INVALID_QUEUE_ID);
        }
        if (isBadSize(entries)) {
            return failed(Status.INVALID_QUEUE_SIZE);
        }
        if (vector >= vectors) {
            return failed(Status.INVALID_INTERRUPT_VECTOR);
        }
        int bad = checkMemory(address, dword11);
        if (bad != Status.SUCCESS) {
            return failed(bad);
        }
        if (dma.writable(address, CompletionQueue.sizeBytes(entries)) == null) {
            return failed(Status.INVALID_FIELD);
        }
        boolean interrupts = SubmissionEntry.INTERRUPTS_ENABLED.isSet(dword11);
        queues.createCompletion(id, entries, address, interrupts, vector);
        return Completion.success(0);
    }

    private long createSubmissionQueue(long address, int dword10, int dword11) {
        int id = (int) SubmissionEntry.QUEUE_ID.get(dword10);
        int entries = (int) SubmissionEntry.QUEUE_SIZE.get(dword10) + 1;
        int completionId = (int) SubmissionEntry.COMPLETION_QUEUE_ID.get(dword11);
        if (id == 0 || id > queues.highestId() || queues.submission(id) != null) {
            return failed(Status.INVALID_QUEUE_ID);
        }
        if (completionId == 0 || completionId > queues.highestId()) {
            return failed(Status.INVALID_QUEUE_ID);
        }
        CompletionQueue completion = queues.completion(completionId);
        if (completion == null) {
            return failed(Status.COMPLETION_QUEUE_INVALID);
        }
        if (isBadSize(entries)) {
            return failed(Status.INVALID_QUEUE_SIZE);
        }
        int bad = checkMemory(address, dword11);
        if (bad != Status.SUCCESS) {
            return failed(bad);
        }
        if (dma.readable(address, SubmissionQueue.sizeBytes(entries)) == null) {
            return failed(Status.INVALID_FIELD);
        }
        queues.createSubmission(id, entries, address, completion);
        return Completion.success(0);
    }

    private static boolean isBadSize(int entries) {
        return entries < SMALLEST_QUEUE || entries > NvmeModel.MAXIMUM_QUEUE_ENTRIES;
    }

    private static int checkMemory(long address, int dword11) {
        if (!SubmissionEntry.PHYSICALLY_CONTIGUOUS.isSet(dword11)) {
            return Status.INVALID_FIELD;
        }
        return (address & (DmaSpace.PAGE_BYTES - 1)) == 0 ? Status.SUCCESS : Status.PRP_OFFSET_INVALID;
    }

    private long deleteCompletionQueue(int dword10) {
        int id = (int) SubmissionEntry.QUEUE_ID.get(dword10);
        CompletionQueue queue = id == 0 || id > queues.highestId() ? null : queues.completion(id);
        if (queue == null) {
            return failed(Status.INVALID_QUEUE_ID);
        }
        if (queue.inUse()) {
            return failed(Status.INVALID_QUEUE_DELETION);
        }
        queues.deleteCompletion(queue);
        return Completion.success(0);
    }

    private long deleteSubmissionQueue(int dword10) {
        int id = (int) SubmissionEntry.QUEUE_ID.get(dword10);
        SubmissionQueue queue = id == 0 || id > queues.highestId() ? null : queues.submission(id);
        if (queue == null) {
            return failed(Status.INVALID_QUEUE_ID);
        }
        queues.deleteSubmission(queue);
        return Completion.success(0);
    }
}
