package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.driver.IdleStrategy;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The admin commands, each with a deadline. Safe for use by several threads: whoever waits for a command polls for all,
 * and lets go of the queue between polls.
 */
final class AdminQueue implements AutoCloseable {
    private static final int DEPTH = 31;
    private static final int NOT_ABORTED = 1;
    /** What SPDK's driver waits for {@link Quirk#DELAY_AFTER_QUEUE_CREATION}. */
    private static final long AFTER_QUEUE_CREATION_NANOS = 100_000;

    /** Nobody resets the controller for an admin command's sake but who calls {@link NvmeController#reset}. */
    private static final QueueOwner NO_OWNER = new QueueOwner() {
        @Override
        public int resets() {
            return 0;
        }

        @Override
        public boolean isStopped() {
            return false;
        }

        @Override
        public void checkUsable() {
            // It is what makes the controller usable.
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

    private final ControllerAccess access;
    private final CommandQueue queue;
    private final Duration timeout;
    /** Who resets the controller, and has the queue alone until that is done. */
    private @Nullable Thread resetter;

    private boolean closed;
    private volatile Semaphore aborts = new Semaphore(1);

    /** How a command ended. Guarded by the queue. */
    private static final class Outcome implements CompletionHandler {
        private boolean done;
        private int status;
        private int result;

        @Override
        public void completed(NvmeRequest request) {
            status = request.status();
            result = request.result();
            done = true;
        }
    }

    /**
     * What a command brought.
     *
     * @param result dword 0 of its completion
     * @param data its data, in memory that lives as long as anyone looks at it
     */
    record Received(int result, MemorySegment data) {}

    AdminQueue(ControllerAccess access, Duration timeout) throws IOException {
        this.access = access;
        this.timeout = timeout;
        int depth = Math.min(DEPTH, access.maximumQueueEntries() - 1);
        queue = new CommandQueue(access, 0, depth, null, Waiting.POLL, QueuePriority.URGENT, timeout, NO_OWNER);
    }

    CommandQueue queue() {
        return queue;
    }

    /** The controller is about to be reset, by this thread: other threads' commands wait until {@link #release}. */
    synchronized void reserve() {
        resetter = Thread.currentThread();
    }

    synchronized void release() {
        resetter = null;
    }

    /** The controller is about to be enabled again: what was on its way is reported as aborted. */
    synchronized void restart() throws IOException {
        queue.restart();
    }

    /** The controller could not be reset: there is no use in waiting for it. */
    synchronized void fail(IOException reason) {
        queue.failed(reason);
    }

    /** From now on nothing touches the controller. */
    @Override
    public synchronized void close() {
        closed = true;
    }

    /** Adds a command that may take as long as it likes; who polls announces it, or tells its handler. False if there is no room. */
    synchronized boolean submit(NvmeCommand command, CompletionHandler handler) throws IOException {
        checkOpen();
        if (resetter != null && !resetter.equals(Thread.currentThread())) {
            return false;
        }
        int slot = queue.nextSlotOrNone();
        if (slot < 0) {
            return false;
        }
        long address = command.dataAddress();
        long second = command.dataBytes() == 0
                ? command.secondPointer()
                : queue.pointers().second(slot, address, command.dataBytes());
        queue.add(command.opcode(), command, address, second, handler, 0);
        return true;
    }

    /** Takes the completions that are there. */
    synchronized void poll() throws IOException {
        checkOpen();
        queue.poll();
    }

    private void checkOpen() throws DeviceException {
        if (closed) {
            throw new DeviceException(queue + " is closed");
        }
    }

    /** Carries out a command; returns dword 0 of its completion. */
    int execute(NvmeCommand command, Duration limit) throws IOException {
        Outcome outcome = new Outcome();
        long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(limit);
        IdleStrategy idle = new IdleStrategy(this::sleep);
        boolean submitted = false;
        while (true) {
            synchronized (this) {
                submitted = submitted || submit(command, outcome);
                poll();
                if (outcome.done) {
                    return result(command, outcome);
                }
                if (System.nanoTime() - deadline >= 0) {
                    throw late(command, limit, submitted);
                }
            }
            idle.idle();
        }
    }

    private IOException late(NvmeCommand command, Duration limit, boolean submitted) {
        String late = name(command) + " took longer than " + limit.toMillis() + " ms; ";
        if (submitted) {
            return queue.failed(new DeviceTimeoutException(late + "reset the controller"));
        }
        return new DeviceTimeoutException(
                late + "it was never sent, because the controller was being reset or had no room; try again");
    }

    private int result(NvmeCommand command, Outcome outcome) throws NvmeException {
        if (outcome.status != 0) {
            throw new NvmeException(name(command), outcome.status);
        }
        return outcome.result;
    }

    private String name(NvmeCommand command) {
        return Opcode.adminName(command.opcode()) + " on " + queue;
    }

    private int sleep(int millis) {
        LockSupport.parkNanos(Duration.ofMillis(millis).toNanos());
        synchronized (this) {
            queue.checkHealthNext();
        }
        return 0;
    }

    /** Carries out a command that brings data. */
    Received receive(NvmeCommand command, long bytes, Duration limit) throws IOException {
        DmaMemory buffer = access.dma().allocate(bytes, access.pageBytes());
        // What the controller leaves out is not to be what was here before.
        buffer.segment().fill((byte) 0);
        int result = transfer(command.data(buffer), buffer, limit, false);
        MemorySegment data = Arena.ofAuto()
                .allocate(bytes, Long.BYTES)
                .copyFrom(buffer.segment())
                .asReadOnly();
        buffer.close();
        return new Received(result, data);
    }

    /** Carries out a command that takes data; returns dword 0 of its completion. */
    int send(NvmeCommand command, MemorySegment data, Duration limit) throws IOException {
        DmaMemory buffer = access.dma().allocate(data.byteSize(), access.pageBytes());
        buffer.segment().copyFrom(data);
        return transfer(command.data(buffer), buffer, limit, true);
    }

    /** The same within the usual time. */
    void send(NvmeCommand command, MemorySegment data) throws IOException {
        send(command, data, timeout);
    }

    /** Frees the buffer only if the controller is done with it: else it goes with the controller. */
    private int transfer(NvmeCommand command, DmaMemory buffer, Duration limit, boolean frees) throws IOException {
        try {
            int result = execute(command, limit);
            if (frees) {
                buffer.close();
            }
            return result;
        } catch (NvmeException ended) {
            buffer.close();
            throw ended;
        }
    }

    /** The data of identify. */
    MemorySegment identify(int cns, int namespaceId) throws IOException {
        return identify(cns, namespaceId, Identify.NVM_COMMAND_SET);
    }

    /** The same of a command set. */
    MemorySegment identify(int cns, int namespaceId, int commandSet) throws IOException {
        return receive(identifyCommand(cns, namespaceId, 0, commandSet), Identify.SIZE_BYTES, timeout)
                .data();
    }

    static NvmeCommand identifyCommand(int cns, int namespaceId, int controllerId, int commandSet) {
        return NvmeCommand.of(Opcode.IDENTIFY)
                .namespace(namespaceId)
                .dword(10, (int) (SubmissionEntry.CNS.of(cns) | SubmissionEntry.CONTROLLER_ID.of(controllerId)))
                .dword(11, (int) SubmissionEntry.COMMAND_SET.of(commandSet));
    }

    /** How many aborts the controller takes at a time, as it says (ACL). */
    void limitAborts(int most) {
        aborts = new Semaphore(most);
    }

    /**
     * Asks for the end of a command; returns whether the controller says that it was aborted. Waits while there are as many
     * aborts on their way as it takes.
     */
    boolean abort(int queueId, int commandId, Duration limit) throws IOException {
        long which = SubmissionEntry.ABORT_QUEUE_ID.of(queueId) | SubmissionEntry.ABORT_COMMAND_ID.of(commandId);
        Semaphore permits = aborts;
        try {
            if (!permits.tryAcquire(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS)) {
                return false;
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            return false;
        }
        try {
            int result = execute(NvmeCommand.of(Opcode.ABORT).dword(10, (int) which), limit);
            return (result & NOT_ABORTED) == 0;
        } finally {
            permits.release();
        }
    }

    /** Carries out a command of the driver's own, with the controller's deadline. */
    void execute(NvmeCommand command) throws IOException {
        execute(command, timeout);
    }

    /** Asks for so many I/O queue pairs. Returns how many may be created. */
    int setQueueCount(int pairs) throws IOException {
        long asked = Feature.SUBMISSION_QUEUES.of(pairs - 1L) | Feature.COMPLETION_QUEUES.of(pairs - 1L);
        int granted = execute(
                NvmeCommand.of(Opcode.SET_FEATURES)
                        .dword(10, (int) SubmissionEntry.FEATURE_ID.of(Feature.NUMBER_OF_QUEUES))
                        .dword(11, (int) asked),
                timeout);
        long submission = Feature.SUBMISSION_QUEUES.get(granted);
        return (int) Math.min(pairs, Math.min(submission, Feature.COMPLETION_QUEUES.get(granted)) + 1);
    }

    void createQueues(CommandQueue pair, int interruptVector) throws IOException {
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
                    flags
                            | SubmissionEntry.QUEUE_PRIORITY.of(pair.priority().code())
                            | SubmissionEntry.COMPLETION_QUEUE_ID.of(pair.id()));
        } catch (NvmeException refused) {
            delete(Opcode.DELETE_IO_COMPLETION_QUEUE, pair.id());
            throw refused;
        }
        if (access.has(Quirk.DELAY_AFTER_QUEUE_CREATION)) {
            long start = System.nanoTime();
            while (System.nanoTime() - start < AFTER_QUEUE_CREATION_NANOS) {
                Thread.onSpinWait();
            }
        }
    }

    private void create(int opcode, long ring, int id, int entries, long flags) throws IOException {
        long sizeAndId = SubmissionEntry.QUEUE_SIZE.of(entries - 1L) | SubmissionEntry.QUEUE_ID.of(id);
        // No list of its pages: it is contiguous.
        execute(
                NvmeCommand.of(opcode)
                        .pointers(ring, 0)
                        .dword(10, (int) sizeAndId)
                        .dword(11, (int) flags),
                timeout);
    }

    void deleteQueues(int id) throws IOException {
        delete(Opcode.DELETE_IO_SUBMISSION_QUEUE, id);
        delete(Opcode.DELETE_IO_COMPLETION_QUEUE, id);
    }

    private void delete(int opcode, int id) throws IOException {
        execute(NvmeCommand.of(opcode).dword(10, (int) SubmissionEntry.QUEUE_ID.of(id)), timeout);
    }
}
