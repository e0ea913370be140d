package dev.outboard.emulation.nvme;

import dev.outboard.emulation.DmaSpace;
import dev.outboard.emulation.InterruptLines;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.Status;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The queues of an enabled controller, and the loop that serves them: a batch from each, in the order of arbitration. */
final class QueueSet {
    // Four completions share a cache line.
    private static final int PLAIN_COMMANDS = 4;

    private final @Nullable SubmissionQueue[] submissions;
    private final @Nullable CompletionQueue[] completions;
    private final DmaSpace dma;
    private final Doorbells doorbells;
    private final AsynchronousEvents events;
    private final ErrorLog errors;
    private final InterruptCoalescing interrupts;
    private final Arbitration arbitration = new Arbitration();
    private final Command command = new Command();
    private final @Nullable PlainCommand[] plain = new PlainCommand[PLAIN_COMMANDS];
    private SubmissionQueue[] active = {};
    private boolean broken;

    QueueSet(
            int ioQueues,
            DmaSpace dma,
            Doorbells doorbells,
            InterruptLines lines,
            AsynchronousEvents events,
            ErrorLog errors) {
        submissions = new SubmissionQueue[ioQueues + 1];
        completions = new CompletionQueue[ioQueues + 1];
        this.dma = dma;
        this.doorbells = doorbells;
        this.events = events;
        this.errors = errors;
        interrupts = new InterruptCoalescing(lines, completions);
    }

    int highestId() {
        return submissions.length - 1;
    }

    Arbitration arbitration() {
        return arbitration;
    }

    InterruptCoalescing interrupts() {
        return interrupts;
    }

    @Nullable
    SubmissionQueue submission(int id) {
        return submissions[id];
    }

    @Nullable
    CompletionQueue completion(int id) {
        return completions[id];
    }

    boolean hasIoQueues() {
        for (int id = 1; id < completions.length; id++) {
            if (completions[id] != null) {
                return true;
            }
        }
        return false;
    }

    CompletionQueue createCompletion(int id, int entries, long address, boolean interruptsEnabled, int vector) {
        CompletionQueue queue = new CompletionQueue(id, entries, address, interruptsEnabled, vector, dma, doorbells);
        completions[id] = queue;
        return queue;
    }

    void createSubmission(int id, int entries, long address, CompletionQueue completion, int priority) {
        submissions[id] = new SubmissionQueue(id, entries, address, completion, priority, dma, doorbells);
        completion.attach();
        activate();
    }

    void deleteSubmission(SubmissionQueue queue) {
        queue.completions().detach();
        submissions[queue.id()] = null;
        activate();
    }

    void deleteCompletion(CompletionQueue queue) {
        completions[queue.id()] = null;
    }

    void deleteAll() {
        Arrays.fill(submissions, null);
        Arrays.fill(completions, null);
        broken = false;
        activate();
    }

    private void activate() {
        active = Arrays.stream(submissions).filter(queue -> queue != null).toArray(SubmissionQueue[]::new);
        arbitration.setQueues(active);
    }

    /** Serves every queue once, as far as arbitration lets it; returns how many commands were carried out. */
    int serve(AdminCommands admin, IoCommands io) {
        int work = interrupts.raiseOverdue();
        if (arbitration.isWeighted()) {
            return work + serveWeighted(admin, io);
        }
        // A copy of the reference: an admin command may create or delete queues meanwhile.
        SubmissionQueue[] queues = active;
        int burst = arbitration.burst();
        for (int i = 0; i < queues.length; i++) {
            work += serve(queues[i], admin, io, burst);
        }
        return work;
    }

    private int serveWeighted(AdminCommands admin, IoCommands io) {
        int work = 0;
        arbitration.startRound();
        SubmissionQueue queue = arbitration.next();
        while (queue != null) {
            int served = serve(queue, admin, io, arbitration.credit());
            arbitration.served(served);
            work += served;
            queue = arbitration.next();
        }
        return work;
    }

    private int serve(SubmissionQueue queue, AdminCommands admin, IoCommands io, int limit) {
        int served = queue.poll() ? serveBatch(queue, admin, io, limit) : 0;
        if (queue.takeBadDoorbell()) {
            events.report(AsynchronousEvent.INVALID_DOORBELL_VALUE);
        }
        return served;
    }

    private int serveBatch(SubmissionQueue queue, AdminCommands admin, IoCommands io, int limit) {
        CompletionQueue completion = queue.completions();
        if (!queue.isMapped()) {
            return 0;
        }
        int served = 0;
        int posted = 0;
        while (served < limit && !queue.isEmpty() && !broken) {
            int room = completion.room(Math.min(limit - served, batchOf(queue)));
            if (room == 0) {
                break;
            }
            int count = queue.id() == 0 ? 0 : takePlain(queue, room, io);
            if (count > 0) {
                executePlain(queue, completion, count, io);
                posted += count;
                served += count;
            } else {
                posted += execute(queue, completion, admin, io) ? 1 : 0;
                served++;
            }
        }
        if (posted > 0) {
            interrupts.raise(completion, posted);
        }
        if (completion.takeBadDoorbell()) {
            events.report(AsynchronousEvent.INVALID_DOORBELL_VALUE);
        }
        return served;
    }

    // Half of what waits: the driver looks at the first half while we do the second, and neither stands still.
    private int batchOf(SubmissionQueue queue) {
        return Math.min(plain.length, (queue.waiting() + 1) / 2);
    }

    /** Takes plain commands from a queue, at most so many; returns how many there were before the first of another kind. */
    private int takePlain(SubmissionQueue queue, int most, IoCommands io) {
        int count = 0;
        for (; count < most; count++) {
            PlainCommand next = plain(count, io);
            long at = queue.peek();
            if (at < 0 || !next.load(queue.segment(), at)) {
                break;
            }
            queue.take();
            next.taken(queue.head());
            if (most > 1) {
                next.prefetch();
            }
        }
        return count;
    }

    private PlainCommand plain(int index, IoCommands io) {
        PlainCommand known = plain[index];
        if (known == null) {
            known = io.newPlainCommand();
            plain[index] = known;
        }
        return known;
    }

    /** Their completions go together: several share a cache line, which goes over to the driver's processor once. */
    private void executePlain(SubmissionQueue queue, CompletionQueue completion, int count, IoCommands io) {
        for (int i = 0; i < count; i++) {
            PlainCommand next = plain(i, io);
            next.execute(io.isWriteThrough());
        }
        for (int i = 0; i < count; i++) {
            PlainCommand done = plain(i, io);
            int status = done.status();
            if (status != Status.SUCCESS) {
                command.load(queue.segment(), done.at(), queue.id());
                status = errors.add(command, status);
            }
            broken |= !completion.post(0, queue.id(), done.submissionHead(), done.commandId(), status);
        }
    }

    /** Carries out the next command; returns whether it is complete. */
    private boolean execute(SubmissionQueue queue, CompletionQueue completion, AdminCommands admin, IoCommands io) {
        long at = queue.peek();
        if (at < 0) {
            broken = true;
            return false;
        }
        command.load(queue.segment(), at, queue.id());
        queue.take();
        int status;
        if (queue.id() == 0) {
            status = admin.execute(command);
        } else {
            status = command.fuse() == 0 ? io.execute(command) : io.executeFused(command, queue);
        }
        if (status == Command.PENDING) {
            return false;
        }
        if (status != Status.SUCCESS) {
            status = errors.add(command, status);
        }
        broken |= !completion.post(command.result(), queue.id(), queue.head(), command.commandId(), status);
        return true;
    }

    /** Whether the client, whose memory is reached by messages, did not let a queue be read or written. */
    boolean isBroken() {
        return broken;
    }

    /** Answers the requests for events that something happened for; returns how many. */
    int completeEvents() {
        CompletionQueue completion = completions[0];
        if (!events.canComplete() || completion == null || completion.room(1) == 0) {
            return 0;
        }
        int event = events.takeEvent();
        completeAdmin(events.takeRequest(), event, Status.SUCCESS);
        return 1;
    }

    /** Whether the admin completion queue has room for another completion than that of the current command. */
    boolean hasRoomForTwo() {
        CompletionQueue completion = completions[0];
        return completion != null && completion.room(2) == 2;
    }

    /** Completes an admin command that waited. */
    void completeAdmin(int commandId, int result, int status) {
        CompletionQueue completion = completions[0];
        SubmissionQueue submission = submissions[0];
        if (completion != null && submission != null) {
            broken |= !completion.post(result, 0, submission.head(), commandId, status);
            interrupts.raise(completion, 1);
        }
    }

    /** Whether a driver that uses INTx has something to look at. */
    boolean wantsIntx() {
        for (CompletionQueue queue : completions) {
            if (queue != null && queue.interruptsEnabled() && queue.hasUnseenEntries()) {
                return true;
            }
        }
        return false;
    }
}
