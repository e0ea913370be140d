package dev.outboard.nvme;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.driver.Interrupt;
import dev.outboard.driver.Waiting;
import dev.outboard.specs.nvme.CompletionEntry;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Commands on their way to the controller and back: what a queue pair for I/O and the admin queue have in common. Sees to
 * it that every command ends: by its completion, by an abort, or by a reset of the controller.
 */
final class CommandQueue implements AutoCloseable {
    /** After so many polls without a completion, the clock and the device's presence are looked at. */
    private static final int HEALTH_CHECK_POLLS = 1 << 10;

    /** By how much a completion queue is longer at least than the submission queue. */
    private static final int MORE_COMPLETIONS = 128;

    /** How long an aborted command may take to be complete. */
    private static final long ABORT_NANOS = 500_000_000;

    /** {@link #failure}: the controller was reset, and has forgotten these queues. */
    private static final class ForgottenException extends IOException {
        private static final long serialVersionUID = 1;
    }

    private final ControllerAccess access;
    private final QueueOwner owner;
    private final int id;
    private final int depth;
    private final Pause pause;
    private final int pollsBeforeSleep;
    private final QueuePriority priority;

    private final SubmissionQueue submissions;
    private final CompletionQueue completions;
    private final DataPointers pointers;
    private final RequestSlots slots;
    private final HealthCheck health;
    /** So many completions may be kept from the controller before its completion queue might fill up. */
    private final int acknowledgeLimit;

    private int resetsSeen;
    private int idlePolls;
    private @Nullable IOException failure;
    private boolean closed;

    CommandQueue(
            ControllerAccess access,
            int id,
            int depth,
            @Nullable Interrupt interrupt,
            Waiting waiting,
            QueuePriority priority,
            Duration timeout,
            QueueOwner owner)
            throws IOException {
        this.access = access;
        this.id = id;
        this.depth = depth;
        pollsBeforeSleep = waiting.polls();
        pause = new Pause(interrupt, pollsBeforeSleep);
        this.priority = priority;
        this.owner = owner;
        resetsSeen = owner.resets();
        // Room for more than what can be on its way: completions are acknowledged once for many.
        int completionEntries = Math.min(depth + 1 + Math.max(depth, MORE_COMPLETIONS), access.maximumQueueEntries());
        acknowledgeLimit = interrupt != null ? 1 : Math.max(1, completionEntries - 1 - depth);
        submissions = new SubmissionQueue(access, id, depth + 1);
        completions = new CompletionQueue(access, id, completionEntries);
        slots = new RequestSlots(this, depth);
        health = new HealthCheck(access, slots, NANOSECONDS.convert(timeout), isAdmin());
        pointers = new DataPointers(access.dma(), slots.all().length, access.pageBytes());
    }

    /**
     * The slot that the next command will have, for what is to be written elsewhere first.
     *
     * @throws IllegalStateException if there is none
     */
    int nextSlot() throws IOException {
        int slot = nextSlotOrNone();
        if (slot < 0) {
            throw full();
        }
        return slot;
    }

    /** The same, or -1 if there is none. */
    int nextSlotOrNone() throws IOException {
        // A handler's next command ends with those that the queue has forgotten: its end is told by the next poll.
        if (failure != null && !(failure instanceof ForgottenException && slots.isTelling())) {
            resume();
        }
        return slots.room() == 0 ? -1 : slots.next().slot;
    }

    IllegalStateException full() {
        return new IllegalStateException(this + " is full: " + depth + " commands are on their way; poll it first");
    }

    /** Writes a command to the queue, in the slot that {@link #nextSlot} returned. */
    NvmeRequest add(
            int opcode,
            int namespaceId,
            long prp1,
            long prp2,
            long dwords10And11,
            long dwords12And13,
            @Nullable CompletionHandler handler,
            long context) {
        NvmeRequest request = take(opcode, handler, context);
        submissions.add(opcode, request.commandId, namespaceId, 0, prp1, prp2, dwords10And11, dwords12And13, 0, 0);
        return request;
    }

    /** The same with everything that a command can have. */
    NvmeRequest add(
            int opcodeAndFlags,
            NvmeCommand command,
            long pointer1,
            long pointer2,
            @Nullable CompletionHandler handler,
            long context) {
        NvmeRequest request = take(command.opcode(), handler, context);
        submissions.add(
                opcodeAndFlags,
                request.commandId,
                command.namespaceId(),
                command.words((int) SubmissionEntry.MPTR / Integer.BYTES),
                pointer1,
                pointer2,
                command.words(10),
                command.words(12),
                command.words(14),
                command.words(2));
        return request;
    }

    @SuppressWarnings("ReferenceEquality") // Which it is does not matter.
    private NvmeRequest take(int opcode, @Nullable CompletionHandler handler, long context) {
        NvmeRequest request = slots.take();
        request.opcode = opcode;
        if (request.handler != handler) {
            // Mostly it is the same: a store of a reference has the collector look.
            request.handler = handler;
        }
        request.context = context;
        return request;
    }

    /** Announces what was written to the queue since the last time. */
    void submit() throws IOException {
        if (submissions.hasUnannounced()) {
            try {
                submissions.announce();
            } catch (InternalError | UncheckedIOException e) {
                throw failed(access.failure(e));
            }
        }
    }

    /** Announces new commands at once if the controller has nothing else to do; otherwise the next poll does. */
    void submitIfIdle(NvmeRequest request) throws IOException {
        if (slots.room() == depth - 1) {
            try {
                submit();
            } catch (IOException e) {
                // Its end is told by this.
                slots.abandon(request);
                throw e;
            }
        }
    }

    private void acknowledge() throws IOException {
        try {
            completions.acknowledge();
        } catch (InternalError | UncheckedIOException e) {
            throw failed(access.failure(e));
        }
    }

    /** Announces new commands and takes all completions that are there; returns how many. */
    int poll() throws IOException {
        try {
            return pollOnce();
        } catch (IOException | InternalError e) {
            // Compiled code may raise an error here, and not where a doorbell is rung: see Registers.
            IOException reason = e instanceof IOException known ? known : failed(access.failure(e));
            tellIfLost(reason);
            throw reason;
        } catch (IllegalStateException e) {
            tellIfLost(null);
            // Its memory went with the controller, if somebody closed that.
            owner.checkUsable();
            throw e;
        }
    }

    private int pollOnce() throws IOException {
        if (failure != null) {
            resume();
        }
        submit();
        int completed = takeCompletions();
        if (completed == 0) {
            idle();
            return 0;
        }
        submit();
        if (completions.unacknowledged() >= acknowledgeLimit) {
            acknowledge();
        }
        return completed;
    }

    private int takeCompletions() throws IOException {
        for (int completed = 0; ; completed++) {
            long entry = completions.peek();
            if (!completions.isNew(entry)) {
                return completed;
            }
            complete(entry);
        }
    }

    private void complete(long dwords2And3) throws IOException {
        int dword2 = (int) dwords2And3;
        int dword3 = (int) (dwords2And3 >>> Integer.SIZE);
        int commandId = (int) CompletionEntry.COMMAND_ID.get(dword3);
        NvmeRequest request = slots.find(commandId);
        if (request == null) {
            throw failed(new DeviceException(
                    this + " completed command " + commandId + ", which is not on its way; reset the controller"));
        }
        // A queue has room for one entry more than commands.
        int queueHead = (int) CompletionEntry.SQ_HEAD.get(dword2);
        if (queueHead > depth) {
            throw failed(new DeviceException(this + " reports a submission queue head " + queueHead + " of a queue of "
                    + submissions.entries() + " entries; reset the controller"));
        }
        request.status = (int) CompletionEntry.STATUS.get(dword3);
        request.result = completions.result();
        request.state = NvmeRequest.COMPLETED;
        completions.advance();
        slots.tell(request);
    }

    int await(NvmeRequest request, Duration timeout) throws IOException {
        if (request.state == NvmeRequest.FREE || request.handler != null) {
            throw new IllegalStateException("this request was awaited already, or has a handler");
        }
        try {
            return awaitEnd(request, timeout);
        } catch (IOException e) {
            // Its end is told by this.
            slots.abandon(request);
            throw e;
        }
    }

    private int awaitEnd(NvmeRequest request, Duration timeout) throws IOException {
        long deadline = 0;
        for (int idle = 0; request.state != NvmeRequest.COMPLETED; ) {
            if (poll() > 0) {
                continue;
            }
            if (++idle % HEALTH_CHECK_POLLS == 0 || idle > pollsBeforeSleep) {
                long now = System.nanoTime();
                deadline = deadline == 0 ? now + NANOSECONDS.convert(timeout) : deadline;
                if (now - deadline >= 0) {
                    return end(request, timeout);
                }
            }
            rest(idle, deadline);
        }
        return finish(request);
    }

    private int finish(NvmeRequest request) throws NvmeException {
        int status = request.status;
        int result = request.result();
        slots.release(request);
        if (status != 0) {
            throw request.failure();
        }
        return result;
    }

    /** A request took too long for who waits for it: it is aborted, if need be by a reset. */
    private int end(NvmeRequest request, Duration timeout) throws IOException {
        overdue(request);
        if (request.status == 0) {
            // It was done just now.
            return finish(request);
        }
        slots.release(request);
        throw new DeviceTimeoutException(request + " took longer than " + timeout.toMillis() + " ms; it was aborted");
    }

    /** Takes completions; waits for the first. Returns how many there were, none if it took too long. */
    int await(Duration timeout) throws IOException {
        long deadline = System.nanoTime() + NANOSECONDS.convert(timeout);
        int idle = 0;
        int completed = poll();
        while (completed == 0) {
            if ((++idle % HEALTH_CHECK_POLLS == 0 || idle > pollsBeforeSleep) && System.nanoTime() - deadline >= 0) {
                break;
            }
            rest(idle, deadline);
            completed = poll();
        }
        return completed;
    }

    private void rest(int idle, long deadline) throws IOException {
        try {
            pause(idle, deadline);
        } catch (IOException e) {
            tellIfLost(e);
            // Its interrupts went with the controller, if somebody closed that.
            owner.checkUsable();
            throw e;
        }
    }

    /** Passes some time until the next poll. */
    void pause(int idle, long deadline) throws IOException {
        if (pause.pass(idle, deadline)) {
            checkHealthNext();
        }
    }

    /** After a sleep: the next poll that finds nothing looks at the device's health, however few there were. */
    void checkHealthNext() {
        idlePolls = -1;
    }

    /** Nothing came: now and then, finds out whether the device is still there, and whether commands are overdue. */
    private void idle() throws IOException {
        if (++idlePolls % HEALTH_CHECK_POLLS != 0 && pollsBeforeSleep > 0) {
            return;
        }
        access.function().checkPresent();
        if (owner.resets() != resetsSeen) {
            restart();
            return;
        }
        NvmeRequest overdue = health.overdue();
        if (overdue != null) {
            overdue(overdue);
        } else if (health.controllerFailed()) {
            resetAndRestart();
        }
    }

    /**
     * Ends a command that takes too long: the controller is asked to abort it, and reset if that does not help. The
     * request is complete afterwards, unless this throws. NVMe base specification 2.0, 5.1.
     */
    private void overdue(NvmeRequest request) throws IOException {
        if (!owner.abort(this, request.commandId) || !completesSoon(request)) {
            resetAndRestart();
        }
    }

    private void resetAndRestart() throws IOException {
        try {
            owner.reset(resetsSeen);
        } catch (IOException e) {
            throw failed(e);
        }
        restart();
    }

    private boolean completesSoon(NvmeRequest request) throws IOException {
        long deadline = System.nanoTime() + ABORT_NANOS;
        for (int idle = 1; takeCompletions() >= 0 && request.state == NvmeRequest.SUBMITTED; idle++) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            rest(idle, deadline);
        }
        return true;
    }

    /** After a failure: the queues can be used again once the controller was reset. */
    private void resume() throws IOException {
        if (!closed && owner.resets() != resetsSeen) {
            restart();
        } else if (!closed && failure instanceof ForgottenException) {
            // It was seen already.
            failure = null;
        } else {
            throw unusable();
        }
    }

    /**
     * The controller was reset, and has forgotten these queues: what was on its way is reported as aborted, and the queues
     * are created again. Whether the commands were carried out nobody knows.
     */
    void restart() throws IOException {
        try {
            owner.checkUsable();
            submissions.clear();
            completions.clear();
            resetsSeen = owner.create(this);
            failure = null;
        } catch (IOException e) {
            throw failed(e);
        } finally {
            slots.abortAll();
        }
    }

    /** Nothing goes on before a reset. Returns the reason. */
    IOException failed(IOException reason) {
        failure = reason;
        return reason;
    }

    /** What is on its way will never be done if the controller is gone, or has stopped for good: whoever waits is told. */
    private void tellIfLost(@Nullable IOException reason) {
        failure = failure == null ? reason : failure;
        if (failure instanceof DeviceGoneException || owner.isStopped()) {
            slots.abortAll();
        }
    }

    private IOException unusable() {
        if (failure == null || closed) {
            return new DeviceException(this + " is closed");
        }
        String message = this + " failed before: " + failure.getMessage();
        return failure instanceof DeviceGoneException
                ? new DeviceGoneException(message, failure)
                : new DeviceException(message, failure);
    }

    /** The controller was reset, on any thread. The queue's own finds out by its next call. */
    void controllerWasReset() {
        if (failure == null) {
            failure = new ForgottenException();
        }
    }

    /** Whether the controller was reset since it knew these queues. */
    boolean isForgotten() {
        return owner.resets() != resetsSeen;
    }

    /** The controller is about to close, on any thread. The queue's own finds out by its next call. */
    void controllerCloses() {
        failure = new DeviceException(this + " is closed");
    }

    int room() {
        return slots.room();
    }

    int depth() {
        return depth;
    }

    DataPointers pointers() {
        return pointers;
    }

    boolean isAdmin() {
        return id == 0;
    }

    int id() {
        return id;
    }

    QueuePriority priority() {
        return priority;
    }

    SubmissionQueue submissions() {
        return submissions;
    }

    CompletionQueue completions() {
        return completions;
    }

    boolean isInterrupting() {
        return pause.interrupt() != null;
    }

    /** Has the controller forget the queues. What is still on its way is reported as aborted. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        failure = new DeviceException(this + " is closed");
        // A controller that did not confirm may still write to these: they go with the controller then.
        if (owner.delete(this)) {
            freeMemory();
        }
        slots.abortAll();
    }

    void freeMemory() {
        pointers.close();
        completions.close();
        submissions.close();
    }

    @Override
    public String toString() {
        return access + (isAdmin() ? " admin queue" : " queue " + id);
    }
}
