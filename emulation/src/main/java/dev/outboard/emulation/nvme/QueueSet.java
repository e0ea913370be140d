package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.outboard.emulation.DmaRegion;
import dev.outboard.emulation.DmaSpace;
import dev.outboard.emulation.InterruptLines;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The queues of an enabled controller, and the loop that serves them: a batch from each, in the order of arbitration. */
final class QueueSet {
    private static final int COMMAND_ID_SHIFT = SubmissionEntry.COMMAND_ID.lowBit();

    private final @Nullable SubmissionQueue[] submissions;
    private final @Nullable CompletionQueue[] completions;
    private final DmaSpace dma;
    private final Doorbells doorbells;
    private final AsynchronousEvents events;
    private final ErrorLog errors;
    private final InterruptCoalescing interrupts;
    private final Arbitration arbitration = new Arbitration();
    private final Command command = new Command();
    private SubmissionQueue[] active = {};

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
        DmaRegion region = queue.region();
        if (region == null) {
            return 0;
        }
        MemorySegment memory = region.segment();
        int id = queue.id();
        int served = 0;
        int posted = 0;
        while (served < limit && !queue.isEmpty() && completion.ready()) {
            long at = queue.take(region);
            int dword0 = memory.get(JAVA_INT, at + SubmissionEntry.CDW0);
            int commandId = dword0 >>> COMMAND_ID_SHIFT;
            long result = 0;
            int status = id == 0 ? IoCommands.NOT_PLAIN : io.transfer(memory, at, dword0);
            if (status != Status.SUCCESS) {
                command.load(memory, at, id);
                status = status == IoCommands.NOT_PLAIN ? execute(queue, region, admin, io) : status;
                result = command.result();
                commandId = command.commandId();
            }
            served++;
            if (status == Command.PENDING) {
                continue;
            }
            if (status != Status.SUCCESS) {
                status = errors.add(command, status);
            }
            completion.post(result, id, queue.head(), commandId, status);
            posted++;
        }
        if (posted > 0) {
            interrupts.raise(completion, posted);
        }
        if (completion.takeBadDoorbell()) {
            events.report(AsynchronousEvent.INVALID_DOORBELL_VALUE);
        }
        return served;
    }

    private int execute(SubmissionQueue queue, DmaRegion region, AdminCommands admin, IoCommands io) {
        if (queue.id() == 0) {
            return admin.execute(command);
        }
        return command.fuse() == 0 ? io.execute(command) : io.executeFused(command, queue, region);
    }

    /** Answers the requests for events that something happened for; returns how many. */
    int completeEvents() {
        CompletionQueue completion = completions[0];
        if (!events.canComplete() || completion == null || !completion.ready()) {
            return 0;
        }
        int event = events.takeEvent();
        completeAdmin(events.takeRequest(), event, Status.SUCCESS);
        return 1;
    }

    /** Whether the admin completion queue has room for another completion than that of the current command. */
    boolean hasRoomForTwo() {
        CompletionQueue completion = completions[0];
        return completion != null && completion.hasRoomForTwo();
    }

    /** Completes an admin command that waited. */
    void completeAdmin(int commandId, int result, int status) {
        CompletionQueue completion = completions[0];
        SubmissionQueue submission = submissions[0];
        if (completion != null && submission != null) {
            completion.post(result, 0, submission.head(), commandId, status);
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
