package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.CommandEffects;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/** Get log page. NVMe base specification 2.0, 5.16. All logs fit into one page of 4096 bytes. */
final class LogPages {
    static final int TEMPERATURE_KELVIN = 300;

    private static final int SPARE_PERCENT = 100;
    private static final int SPARE_THRESHOLD_PERCENT = 10;
    private static final int OPCODES = 1 << Byte.SIZE;
    private static final int DWORD_FOR_EACH_OF_256 = 1024;
    private static final int NOTIFICATION_BYTES = 64;
    private static final int SUPPORTED = 1;
    private static final long NANOS_PER_HOUR = 3_600_000_000_000L;

    private final DataPointer pointer;
    private final MemorySegment page;
    private final AsynchronousEvents events;
    private final Statistics statistics;
    private final ErrorLog errors;
    private final Features features;
    private final Map<Integer, Log> logs = new LinkedHashMap<>();
    private final long startNanos = System.nanoTime();
    private int unsafeShutdowns;

    /** A log page. */
    interface Log {
        /** Fills a page of zeros; returns the log's size in bytes. */
        int fill(Command command, MemorySegment target);
    }

    LogPages(
            DataPointer pointer,
            MemorySegment page,
            AsynchronousEvents events,
            Statistics statistics,
            ErrorLog errors,
            Features features) {
        this.pointer = pointer;
        this.page = page;
        this.events = events;
        this.statistics = statistics;
        this.errors = errors;
        this.features = features;
        add(LogPage.SUPPORTED_LOG_PAGES, (command, target) -> supported(target));
        add(LogPage.ERROR_INFORMATION, (command, target) -> errors.fill(target));
        add(LogPage.SMART, (command, target) -> smart(target));
        add(LogPage.FEATURE_EFFECTS, (command, target) -> {
            features.describe(target);
            return DWORD_FOR_EACH_OF_256;
        });
        // No other controller takes a reservation away, and zones change by commands alone: both stay empty.
        add(LogPage.RESERVATION_NOTIFICATION, (command, target) -> NOTIFICATION_BYTES);
        add(LogPage.CHANGED_ZONES, (command, target) -> (int) target.byteSize());
    }

    /** Adds a log page. */
    void add(int id, Log log) {
        logs.put(id, log);
    }

    void addTo(AdminCommands admin, IoCommands io) {
        add(LogPage.COMMAND_EFFECTS, (command, target) -> effects(command, target, admin, io));
        admin.add(Opcode.GET_LOG_PAGE, 0, this::get);
    }

    /** The controller was disabled without a shutdown. */
    void unsafeShutdown() {
        unsafeShutdowns++;
    }

    private int get(Command command) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        int id = (int) SubmissionEntry.LOG_ID.get(dword10);
        Log log = logs.get(id);
        if (log == null) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_LOG_PAGE);
        }
        int namespace = command.namespaceId();
        if (id == LogPage.SMART && namespace != 0 && namespace != Command.ALL_NAMESPACES) {
            return command.invalid(SubmissionEntry.NSID);
        }
        page.fill((byte) 0);
        int size = log.fill(command, page);
        long offset = command.qword(SubmissionEntry.CDW12);
        if (offset < 0 || offset > size || (offset & (Integer.BYTES - 1)) != 0) {
            return command.invalid(SubmissionEntry.CDW12);
        }
        if (LogPage.OFFSET_TYPE.isSet(command.dword(SubmissionEntry.CDW14))) {
            return command.invalid(SubmissionEntry.CDW14);
        }
        long high = LogPage.NUMBER_OF_DWORDS_HIGH.get(command.dword(SubmissionEntry.CDW11));
        long dwords = (high << Short.SIZE | LogPage.NUMBER_OF_DWORDS_LOW.get(dword10)) + 1;
        // What a host reads beyond the end of a log is undefined: zeros as far as the page goes, then nothing.
        long bytes = Math.min(dwords * Integer.BYTES, page.byteSize() - offset);
        int status = pointer.toHost(command, page, offset, bytes);
        if (status == Status.SUCCESS && !LogPage.RETAIN_EVENT.isSet(dword10)) {
            events.logRead(id);
        }
        return status;
    }

    private int supported(MemorySegment target) {
        logs.keySet().forEach(id -> target.set(JAVA_INT, (long) id * Integer.BYTES, SUPPORTED));
        return DWORD_FOR_EACH_OF_256;
    }

    private static int effects(Command command, MemorySegment target, AdminCommands admin, IoCommands io) {
        int commandSet = (int) LogPage.COMMAND_SET.get(command.dword(SubmissionEntry.CDW14));
        boolean known = commandSet == Identify.NVM_COMMAND_SET || commandSet == Identify.ZONED_COMMAND_SET;
        for (int opcode = 0; opcode < OPCODES; opcode++) {
            target.set(JAVA_INT, (long) opcode * Integer.BYTES, admin.effects(opcode));
            int effects = known ? io.effects(opcode, commandSet) : 0;
            target.set(JAVA_INT, CommandEffects.LOG_IO + (long) opcode * Integer.BYTES, effects);
        }
        return CommandEffects.LOG_BYTES;
    }

    /** The critical warnings that hold: bits of {@link AsynchronousEvent}. */
    int criticalWarnings() {
        int over = (int) Feature.THRESHOLD.get(features.value(Feature.TEMPERATURE_THRESHOLD));
        int under = (int) Feature.THRESHOLD.get(
                features.value(Feature.TEMPERATURE_THRESHOLD, (int) Feature.THRESHOLD_TYPE.of(1)));
        return TEMPERATURE_KELVIN >= over || TEMPERATURE_KELVIN <= under ? AsynchronousEvent.WARNING_TEMPERATURE : 0;
    }

    private int smart(MemorySegment target) {
        var smart = LogPage.SMART_INFORMATION.view(target);
        smart.set("critical_warning", criticalWarnings())
                .set("temperature", TEMPERATURE_KELVIN)
                .set("avail_spare", SPARE_PERCENT)
                .set("spare_thresh", SPARE_THRESHOLD_PERCENT);
        number(smart.slice("data_units_read"), statistics.dataUnitsRead());
        number(smart.slice("data_units_written"), statistics.dataUnitsWritten());
        number(smart.slice("host_reads"), statistics.reads());
        number(smart.slice("host_writes"), statistics.writes());
        number(smart.slice("power_cycles"), 1);
        number(smart.slice("power_on_hours"), powerOnHours());
        number(smart.slice("unsafe_shutdowns"), unsafeShutdowns);
        number(smart.slice("media_errors"), statistics.mediaErrors());
        number(smart.slice("num_err_log_entries"), errors.count());
        return (int) LogPage.SMART_INFORMATION.byteSize();
    }

    long powerOnHours() {
        return (System.nanoTime() - startNanos) / NANOS_PER_HOUR;
    }

    private static void number(MemorySegment number128, long value) {
        number128.set(JAVA_LONG_UNALIGNED, 0, value);
    }
}
