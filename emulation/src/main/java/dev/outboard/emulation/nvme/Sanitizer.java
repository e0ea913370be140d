package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.CommandEffects;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Maintenance;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import java.util.function.IntConsumer;

/**
 * Sanitize: erases or overwrites all media, allocated or not, a piece at a time; meanwhile no block can be touched. It
 * goes on through resets. NVMe base specification 2.0, 5.24 and 8.21.
 */
final class Sanitizer {
    private static final long PIECE_BYTES = 4 << 20;
    private static final int ALL_PASSES = 16;
    private static final long PROGRESS_SCALE = 65_536;
    private static final int NO_ESTIMATE = -1;

    private final Namespaces namespaces;
    private final Statistics statistics;
    private final SelfTest selfTest;
    private final IntConsumer events;
    private int status = Maintenance.NEVER_SANITIZED;
    private int dword10;
    private int pattern;
    private int passes;
    private int pass;
    private long done;
    private long writesBefore;
    private boolean active;

    Sanitizer(Namespaces namespaces, Statistics statistics, SelfTest selfTest, IntConsumer events) {
        this.namespaces = namespaces;
        this.statistics = statistics;
        this.selfTest = selfTest;
        this.events = events;
    }

    void addTo(AdminCommands commands, LogPages logs) {
        int effects = CommandEffects.CHANGES_BLOCKS | CommandEffects.ALONE;
        commands.add(Opcode.SANITIZE, effects, this::start);
        logs.add(LogPage.SANITIZE, (command, page) -> fill(page));
    }

    boolean isActive() {
        return active;
    }

    private int start(Command command) {
        if (active) {
            return Status.SANITIZE_IN_PROGRESS;
        }
        int asked = command.dword(SubmissionEntry.CDW10);
        int action = (int) Maintenance.SANITIZE_ACTION.get(asked);
        if (action < Maintenance.EXIT_FAILURE || action > Maintenance.CRYPTO_ERASE) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        if (action == Maintenance.EXIT_FAILURE) {
            // No sanitize operation ever fails here.
            return Status.SUCCESS;
        }
        if (namespaces.isAnyWriteProtected()) {
            return Status.WRITE_PROTECTED;
        }
        selfTest.end(Maintenance.TEST_ABORTED_BY_SANITIZE);
        dword10 = asked;
        pattern = command.dword(SubmissionEntry.CDW11);
        int chosen = (int) Maintenance.OVERWRITE_PASSES.get(asked);
        passes = action != Maintenance.OVERWRITE ? 1 : chosen == 0 ? ALL_PASSES : chosen;
        pass = 0;
        done = 0;
        active = true;
        namespaces.forEach(namespace -> namespace.setBusy(true));
        return Status.SUCCESS;
    }

    /** Goes on with what was started; returns how much was done. */
    int work() {
        if (!active) {
            return 0;
        }
        long bytes = Math.min(PIECE_BYTES, namespaces.totalBytes() - done);
        if (Maintenance.SANITIZE_ACTION.get(dword10) == Maintenance.OVERWRITE) {
            overwrite(done, bytes);
        } else {
            namespaces.media().erase(done, bytes);
        }
        done += bytes;
        if (done == namespaces.totalBytes()) {
            done = 0;
            pass++;
            if (pass == passes) {
                finish();
            }
        }
        return 1;
    }

    private void overwrite(long offset, long bytes) {
        MemorySegment piece = namespaces.media().data(offset, bytes);
        // With inversion the last pass writes the pattern itself. 5.24.
        boolean inverts = Maintenance.INVERT.isSet(dword10) && ((passes - pass) & 1) == 0;
        int word = inverts ? ~pattern : pattern;
        for (long at = 0; at < bytes; at += Integer.BYTES) {
            piece.set(JAVA_INT_UNALIGNED, at, word);
        }
    }

    private void finish() {
        active = false;
        boolean deallocates = !Maintenance.NO_DEALLOCATE.isSet(dword10);
        namespaces.forEach(namespace -> {
            namespace.sanitized(deallocates);
            namespace.setBusy(false);
        });
        status = Maintenance.SANITIZED;
        writesBefore = statistics.writes();
        events.accept(AsynchronousEvent.SANITIZE_COMPLETED);
    }

    private int fill(MemorySegment page) {
        boolean untouched = status == Maintenance.SANITIZED && statistics.writes() == writesBefore;
        long all = namespaces.totalBytes() * passes;
        long progress =
                active ? (pass * namespaces.totalBytes() + done) * PROGRESS_SCALE / all : Maintenance.SANITIZE_IDLE;
        long state = active ? Maintenance.SANITIZING : status | (untouched ? Maintenance.GLOBAL_DATA_ERASED : 0);
        boolean overwrites = Maintenance.SANITIZE_ACTION.get(dword10) == Maintenance.OVERWRITE;
        LogPage.SANITIZE_STATUS
                .view(page)
                .set("sprog", progress)
                .set("sstat", state | (overwrites ? Maintenance.PASSES_DONE.of(pass) : 0))
                .set("scdw10", Integer.toUnsignedLong(dword10))
                .set("eto", NO_ESTIMATE)
                .set("etbe", NO_ESTIMATE)
                .set("etce", NO_ESTIMATE)
                .set("etond", NO_ESTIMATE)
                .set("etbend", NO_ESTIMATE)
                .set("etcend", NO_ESTIMATE);
        return (int) LogPage.SANITIZE_STATUS.byteSize();
    }
}
