package dev.outboard.emulation.nvme;

import dev.outboard.emulation.DmaSpace;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;

/**
 * The admin commands on queues and on what waits in them: create, delete, abort, requests for events, shadow doorbells,
 * keep alive. NVMe base specification 2.0, 5.1 to 5.8.
 */
final class QueueCommands {
    private static final int NOT_ABORTED = 1;
    private static final int SMALLEST_QUEUE = 2;

    private final QueueSet queues;
    private final Doorbells doorbells;
    private final DmaSpace dma;
    private final int vectors;
    private final Features features;
    private final AsynchronousEvents events;
    private final KeepAlive keepAlive;

    QueueCommands(
            QueueSet queues,
            Doorbells doorbells,
            DmaSpace dma,
            int vectors,
            Features features,
            AsynchronousEvents events,
            KeepAlive keepAlive) {
        this.queues = queues;
        this.doorbells = doorbells;
        this.dma = dma;
        this.vectors = vectors;
        this.features = features;
        this.events = events;
        this.keepAlive = keepAlive;
    }

    void addTo(AdminCommands commands) {
        commands.add(Opcode.CREATE_IO_COMPLETION_QUEUE, 0, this::createCompletionQueue);
        commands.add(Opcode.CREATE_IO_SUBMISSION_QUEUE, 0, this::createSubmissionQueue);
        commands.add(Opcode.DELETE_IO_COMPLETION_QUEUE, 0, this::deleteCompletionQueue);
        commands.add(Opcode.DELETE_IO_SUBMISSION_QUEUE, 0, this::deleteSubmissionQueue);
        commands.add(Opcode.ABORT, 0, this::abort);
        commands.add(Opcode.ASYNCHRONOUS_EVENT_REQUEST, 0, this::requestEvent);
        commands.add(Opcode.DOORBELL_BUFFER_CONFIG, 0, this::configureDoorbells);
        commands.add(Opcode.KEEP_ALIVE, 0, command -> keepAlive.beat());
    }

    private int createCompletionQueue(Command command) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        int dword11 = command.dword(SubmissionEntry.CDW11);
        int id = (int) SubmissionEntry.QUEUE_ID.get(dword10);
        int entries = (int) SubmissionEntry.QUEUE_SIZE.get(dword10) + 1;
        int vector = (int) SubmissionEntry.INTERRUPT_VECTOR.get(dword11);
        long address = command.qword(SubmissionEntry.PRP1);
        if (id == 0 || id > queues.highestId() || queues.completion(id) != null) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_QUEUE_ID);
        }
        if (isBadSize(entries)) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_QUEUE_SIZE);
        }
        if (vector >= vectors) {
            return command.invalid(SubmissionEntry.CDW11, Status.INVALID_INTERRUPT_VECTOR);
        }
        int bad = checkMemory(command, address);
        if (bad != Status.SUCCESS) {
            return bad;
        }
        if (!dma.isWritable(address, CompletionQueue.sizeBytes(entries))) {
            return command.invalid(SubmissionEntry.PRP1);
        }
        boolean interrupts = SubmissionEntry.INTERRUPTS_ENABLED.isSet(dword11);
        queues.createCompletion(id, entries, address, interrupts, vector);
        features.setIoQueuesThere(true);
        return Status.SUCCESS;
    }

    private int createSubmissionQueue(Command command) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        int dword11 = command.dword(SubmissionEntry.CDW11);
        int id = (int) SubmissionEntry.QUEUE_ID.get(dword10);
        int entries = (int) SubmissionEntry.QUEUE_SIZE.get(dword10) + 1;
        int completionId = (int) SubmissionEntry.COMPLETION_QUEUE_ID.get(dword11);
        long address = command.qword(SubmissionEntry.PRP1);
        if (id == 0 || id > queues.highestId() || queues.submission(id) != null) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_QUEUE_ID);
        }
        if (completionId == 0 || completionId > queues.highestId()) {
            return command.invalid(SubmissionEntry.CDW11, Status.INVALID_QUEUE_ID);
        }
        CompletionQueue completion = queues.completion(completionId);
        if (completion == null) {
            return command.invalid(SubmissionEntry.CDW11, Status.COMPLETION_QUEUE_INVALID);
        }
        if (isBadSize(entries)) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_QUEUE_SIZE);
        }
        int bad = checkMemory(command, address);
        if (bad != Status.SUCCESS) {
            return bad;
        }
        if (!dma.isReadable(address, SubmissionQueue.sizeBytes(entries))) {
            return command.invalid(SubmissionEntry.PRP1);
        }
        int priority = (int) SubmissionEntry.QUEUE_PRIORITY.get(dword11);
        queues.createSubmission(id, entries, address, completion, priority);
        return Status.SUCCESS;
    }

    private static boolean isBadSize(int entries) {
        return entries < SMALLEST_QUEUE || entries > NvmeModel.MAXIMUM_QUEUE_ENTRIES;
    }

    private static int checkMemory(Command command, long address) {
        if (!SubmissionEntry.PHYSICALLY_CONTIGUOUS.isSet(command.dword(SubmissionEntry.CDW11))) {
            return command.invalid(SubmissionEntry.CDW11);
        }
        return (address & (DmaSpace.PAGE_BYTES - 1)) == 0
                ? Status.SUCCESS
                : command.invalid(SubmissionEntry.PRP1, Status.PRP_OFFSET_INVALID);
    }

    private int deleteCompletionQueue(Command command) {
        int id = (int) SubmissionEntry.QUEUE_ID.get(command.dword(SubmissionEntry.CDW10));
        CompletionQueue queue = id == 0 || id > queues.highestId() ? null : queues.completion(id);
        if (queue == null) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_QUEUE_ID);
        }
        if (queue.inUse()) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_QUEUE_DELETION);
        }
        queues.deleteCompletion(queue);
        features.setIoQueuesThere(queues.hasIoQueues());
        return Status.SUCCESS;
    }

    private int deleteSubmissionQueue(Command command) {
        int id = (int) SubmissionEntry.QUEUE_ID.get(command.dword(SubmissionEntry.CDW10));
        SubmissionQueue queue = id == 0 || id > queues.highestId() ? null : queues.submission(id);
        if (queue == null) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_QUEUE_ID);
        }
        queues.deleteSubmission(queue);
        return Status.SUCCESS;
    }

    // Commands are done as soon as they are seen: only requests for events are ever there to be aborted.
    private int abort(Command command) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        int commandId = (int) SubmissionEntry.ABORT_COMMAND_ID.get(dword10);
        boolean ofAdminQueue = SubmissionEntry.ABORT_QUEUE_ID.get(dword10) == 0;
        // The aborted command is completed first, for which there must be room.
        if (ofAdminQueue && queues.hasRoomForTwo() && events.abort(commandId)) {
            queues.completeAdmin(commandId, 0, Status.ABORT_REQUESTED);
        } else {
            command.result(NOT_ABORTED);
        }
        return Status.SUCCESS;
    }

    private int requestEvent(Command command) {
        return events.request(command.commandId()) ? Command.PENDING : Status.EVENT_REQUEST_LIMIT_EXCEEDED;
    }

    // 5.8. What the controller polls anyway needs no event index: the buffer for it is checked and left alone.
    private int configureDoorbells(Command command) {
        if (dma.isInterposed()) {
            // What is rung in memory alone nobody between would hear; hosts ring the registers then.
            return Status.INVALID_OPCODE;
        }
        long shadow = command.qword(SubmissionEntry.PRP1);
        long eventIndexes = command.qword(SubmissionEntry.PRP2);
        if (((shadow | eventIndexes) & (DmaSpace.PAGE_BYTES - 1)) != 0) {
            return command.invalid(SubmissionEntry.PRP1);
        }
        if (dma.writable(eventIndexes, DmaSpace.PAGE_BYTES) == null || !doorbells.shadow(shadow)) {
            return command.invalid(SubmissionEntry.PRP1);
        }
        return Status.SUCCESS;
    }
}
