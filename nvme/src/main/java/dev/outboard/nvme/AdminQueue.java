package dev.outboard.nvme;

import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** The admin commands, one at a time, each with a deadline. Safe for use by several threads. */
final class AdminQueue {
    private static final int DEPTH = 31;
    private static final int NOT_ABORTED = 1;

    /** Nobody resets the controller for an admin command's sake but who calls {@link NvmeController#reset}. */
    private static final QueueOwner NO_OWNER = new QueueOwner() {
        @Override
        public int resets() {
            return 0;
        }

        @Override
        public boolean delete(CommandQueue queue) {
            return true;
        }

        @Override
        public int create(CommandQueue queue) {
            // The registers say where it is.
            return 0;
        }

        @Override
        public boolean abort(CommandQueue queue, int commandId) {
            return false;
        }

        @Override
        public void reset(int seenResets) {
            throw new IllegalStateException("an admin queue resets nothing");
        }
    };

    private final CommandQueue queue;
    private final DmaMemory page;
    private final Duration timeout;

    AdminQueue(ControllerAccess access, Duration timeout) throws IOException {
        this.timeout = timeout;
        page = access.dma().allocate(Identify.SIZE_BYTES, access.pageBytes());
        int depth = Math.min(DEPTH, access.maximumQueueEntries() - 1);
        queue = new CommandQueue(access, 0, depth, null, Waiting.POLL, timeout, NO_OWNER);
    }

    CommandQueue queue() {
        return queue;
    }

    /** The controller is about to be enabled again: what was on its way is reported as aborted. */
    synchronized void restart() throws IOException {
        queue.restart();
    }

    /** Asks for the end of a command; returns whether the controller says that it was aborted. */
    synchronized boolean abort(int queueId, int commandId, Duration limit) throws IOException {
        long dword10 = SubmissionEntry.ABORT_QUEUE_ID.of(queueId) | SubmissionEntry.ABORT_COMMAND_ID.of(commandId);
        int result = execute(Opcode.ABORT, 0, 0, dword10, limit);
        return (result & NOT_ABORTED) == 0;
    }

    /** Carries out a command; returns dword 0 of its completion. */
    private int execute(int opcode, int namespaceId, long prp1, long dwords10And11, Duration limit) throws IOException {
        queue.nextSlot();
        return queue.add(opcode, namespaceId, prp1, 0, dwords10And11, 0, null, 0)
                .await(limit);
    }

    /** The data of identify, copied to memory that lives as long as anyone looks at it. */
    MemorySegment identify(int cns, int namespaceId) throws IOException {
        return identify(cns, namespaceId, Identify.NVM_COMMAND_SET);
    }

    /** The same of a command set. */
    synchronized MemorySegment identify(int cns, int namespaceId, int commandSet) throws IOException {
        long set = SubmissionEntry.COMMAND_SET.of(commandSet) << Integer.SIZE;
        execute(Opcode.IDENTIFY, namespaceId, page.deviceAddress(), SubmissionEntry.CNS.of(cns) | set, timeout);
        return Arena.ofAuto()
                .allocate(Identify.SIZE_BYTES, Long.BYTES)
                .copyFrom(page.segment())
                .asReadOnly();
    }

    /** Asks for so many I/O queue pairs. Returns how many may be created. */
    synchronized int setQueueCount(int pairs) throws IOException {
        long asked = (pairs - 1L) << 16 | (pairs - 1);
        int granted = execute(
                Opcode.SET_FEATURES,
                0,
                0,
                SubmissionEntry.FEATURE_ID.of(Feature.NUMBER_OF_QUEUES) | asked << Integer.SIZE,
                timeout);
        return Math.min(pairs, Math.min(granted & 0xffff, granted >>> 16) + 1);
    }

    synchronized void createQueues(CommandQueue pair, int interruptVector) throws IOException {
        long flags = SubmissionEntry.PHYSICALLY_CONTIGUOUS.of(1);
        long completionFlags = pair.isInterrupting()
                ? flags
                        | SubmissionEntry.INTERRUPTS_ENABLED.of(1)
                        | SubmissionEntry.INTERRUPT_VECTOR.of(interruptVector)
                : flags;
        create(
                Opcode.CREATE_IO_COMPLETION_QUEUE,
                pair.completions().deviceAddress(),
                pair.id(),
                pair.completions().entries(),
                completionFlags);
        try {
            create(
                    Opcode.CREATE_IO_SUBMISSION_QUEUE,
                    pair.submissions().deviceAddress(),
                    pair.id(),
                    pair.submissions().entries(),
                    flags | SubmissionEntry.COMPLETION_QUEUE_ID.of(pair.id()));
        } catch (NvmeException refused) {
            delete(Opcode.DELETE_IO_COMPLETION_QUEUE, pair.id(), timeout);
            throw refused;
        }
    }

    private void create(int opcode, long address, int id, int entries, long flags) throws IOException {
        long sizeAndId = SubmissionEntry.QUEUE_SIZE.of(entries - 1L) | SubmissionEntry.QUEUE_ID.of(id);
        execute(opcode, 0, address, sizeAndId | flags << Integer.SIZE, timeout);
    }

    synchronized void deleteQueues(int id, Duration limit) throws IOException {
        delete(Opcode.DELETE_IO_SUBMISSION_QUEUE, id, limit);
        delete(Opcode.DELETE_IO_COMPLETION_QUEUE, id, limit);
    }

    private void delete(int opcode, int id, Duration limit) throws IOException {
        execute(opcode, 0, 0, SubmissionEntry.QUEUE_ID.of(id), limit);
    }
}
