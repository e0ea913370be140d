package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.outboard.emulation.DmaRegion;
import dev.outboard.emulation.DmaSpace;
import dev.outboard.emulation.InterruptLines;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The queues of an enabled controller, and the loop that serves them: round robin, a batch from each. */
final class QueueSet {
    // Large enough to serve a usual queue depth at once, small enough that no queue waits long for another.
    private static final int BATCH = 32;

    private static final int COMMAND_ID_SHIFT = SubmissionEntry.COMMAND_ID.lowBit();

    private final @Nullable SubmissionQueue[] submissions;
    private final @Nullable CompletionQueue[] completions;
    private final DmaSpace dma;
    private final Doorbells doorbells;
    private final InterruptLines interrupts;
    private SubmissionQueue[] active = {};

    QueueSet(int ioQueues, DmaSpace dma, Doorbells doorbells, InterruptLines interrupts) {
        submissions = new SubmissionQueue[ioQueues + 1];
        completions = new CompletionQueue[ioQueues + 1];
        this.dma = dma;
        this.doorbells = doorbells;
        this.interrupts = interrupts;
    }

    int highestId() {
        return submissions.length - 1;
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

    void createSubmission(int id, int entries, long address, CompletionQueue completion) {
        submissions[id] = new SubmissionQueue(id, entries, address, completion, dma, doorbells);
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
    }

    /** Serves every queue once; returns how many commands were carried out. */
    int serve(AdminCommands admin, IoCommands io) {
        int work = 0;
        // A copy of the reference: an admin command may create or delete queues meanwhile.
        SubmissionQueue[] queues = active;
        for (int i = 0; i < queues.length; i++) {
            SubmissionQueue queue = queues[i];
            if (queue.poll()) {
                work += serve(queue, admin, io);
            }
            if (queue.takeBadDoorbell()) {
                admin.reportBadDoorbell();
            }
        }
        return work;
    }

    private int serve(SubmissionQueue queue, AdminCommands admin, IoCommands io) {
        CompletionQueue completion = queue.completions();
        DmaRegion region = queue.region();
        int served = 0;
        if (region == null) {
            return 0;
        }
        boolean posted = false;
        while (served < BATCH && !queue.isEmpty() && completion.ready()) {
            long at = queue.take(region);
            int dword0 = region.segment().get(JAVA_INT, at + SubmissionEntry.CDW0);
            int commandId = dword0 >>> COMMAND_ID_SHIFT;
            served++;
            if (queue.id() != 0) {
                completion.post(0, queue.id(), queue.head(), commandId, io.execute(region.segment(), at, dword0));
                posted = true;
            } else {
                long done = admin.execute(region.segment(), at, dword0);
                if (done != Completion.NONE) {
                    int result = Completion.resultOf(done);
                    completion.post(result, 0, queue.head(), commandId, Completion.statusOf(done));
                    posted = true;
                }
            }
        }
        if (posted) {
            interrupt(completion);
        }
        if (completion.takeBadDoorbell()) {
            admin.reportBadDoorbell();
        }
        return served;
    }

    void interrupt(CompletionQueue completion) {
        if (completion.interruptsEnabled() && interrupts.isConnected(completion.vector())) {
            interrupts.raise(completion.vector());
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
