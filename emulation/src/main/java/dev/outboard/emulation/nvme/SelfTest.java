package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Maintenance;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * Device self-test: reads the media, a part of them or all, a piece at a time between other work. NVMe base specification
 * 2.0, 5.9 and 8.6.
 */
final class SelfTest {
    private static final long PIECE_BYTES = 8 << 20;
    private static final long SHORT_TEST_BYTES = 64 << 20;
    private static final long READ_EVERY_BYTES = 4096;
    private static final int CODE_SHIFT = 4;
    private static final int NAMESPACE_VALID = 1;
    private static final int PERCENT = 100;

    private final Namespaces namespaces;
    private final LongSupplier powerOnHours;
    private final Deque<Result> results = new ArrayDeque<>();
    private int running;
    private int namespaceId;
    private long done;
    private long total;

    private record Result(int test, int outcome, long hours, int namespaceId) {}

    SelfTest(Namespaces namespaces, LongSupplier powerOnHours) {
        this.namespaces = namespaces;
        this.powerOnHours = powerOnHours;
    }

    void addTo(AdminCommands commands, LogPages logs) {
        commands.add(Opcode.DEVICE_SELF_TEST, 0, this::start);
        logs.add(LogPage.SELF_TEST, (command, page) -> fill(page));
    }

    boolean isActive() {
        return running != 0;
    }

    private int start(Command command) {
        int code = (int) Maintenance.SELF_TEST.get(command.dword(SubmissionEntry.CDW10));
        int id = command.namespaceId();
        if (id != 0 && id != Command.ALL_NAMESPACES) {
            int status = namespaces.check(command);
            if (status != Status.SUCCESS) {
                return status;
            }
        }
        switch (code) {
            case Maintenance.SHORT_TEST, Maintenance.EXTENDED_TEST -> {
                if (running != 0) {
                    return Status.SELF_TEST_IN_PROGRESS;
                }
                running = code;
                namespaceId = id;
                done = 0;
                long all = namespaces.totalBytes();
                total = code == Maintenance.SHORT_TEST ? Math.min(all, SHORT_TEST_BYTES) : all;
            }
            case Maintenance.ABORT_TEST -> end(Maintenance.TEST_ABORTED);
            default -> {
                return command.invalid(SubmissionEntry.CDW10);
            }
        }
        return Status.SUCCESS;
    }

    /** Goes on with a test; returns how much was done. */
    int work() {
        if (running == 0) {
            return 0;
        }
        MemorySegment piece = namespaces.media().data(done, Math.min(PIECE_BYTES, total - done));
        for (long at = 0; at < piece.byteSize(); at += READ_EVERY_BYTES) {
            piece.get(JAVA_BYTE, at);
        }
        done += piece.byteSize();
        if (done >= total) {
            end(Maintenance.TEST_PASSED);
        }
        return 1;
    }

    /** Ends the test that is going on, if there is one. */
    void end(int outcome) {
        if (running == 0) {
            return;
        }
        if (results.size() == LogPage.SELF_TEST_RESULTS) {
            results.removeLast();
        }
        results.addFirst(new Result(running, outcome, powerOnHours.getAsLong(), namespaceId));
        running = 0;
    }

    /** A controller level reset ends a short test; an extended one goes on. */
    void reset() {
        if (running == Maintenance.SHORT_TEST) {
            end(Maintenance.TEST_ABORTED_BY_RESET);
        }
    }

    private int fill(MemorySegment page) {
        LogPage.SELF_TEST_HEAD
                .view(page)
                .set("crnt_dev_selftest_oprn", running)
                .set("crnt_dev_selftest_compln", running == 0 ? 0 : done * PERCENT / total);
        long at = LogPage.SELF_TEST_HEAD.byteSize();
        for (Result result : results) {
            StructView entry = LogPage.SELF_TEST_RESULT
                    .view(page.asSlice(at))
                    .set("dsts", result.test << CODE_SHIFT | result.outcome)
                    .set("poh", result.hours);
            if (result.namespaceId != 0) {
                entry.set("vdi", NAMESPACE_VALID).set("nsid", result.namespaceId);
            }
            at += LogPage.SELF_TEST_RESULT.byteSize();
        }
        for (int i = results.size(); i < LogPage.SELF_TEST_RESULTS; i++) {
            LogPage.SELF_TEST_RESULT.view(page.asSlice(at)).set("dsts", Maintenance.TEST_UNUSED);
            at += LogPage.SELF_TEST_RESULT.byteSize();
        }
        return (int) at;
    }
}
