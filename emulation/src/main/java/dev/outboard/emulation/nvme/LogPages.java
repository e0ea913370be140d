package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.LogPage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Fills the log pages. NVMe base specification 2.0, 5.16.1. */
final class LogPages {
    private static final int TEMPERATURE_KELVIN = 300;
    private static final int SPARE_PERCENT = 100;
    private static final int SPARE_THRESHOLD_PERCENT = 10;
    private static final int FIRST_SLOT_ACTIVE = 1;
    private static final long NANOS_PER_HOUR = 3_600_000_000_000L;

    private final NvmeOptions options;
    private final Statistics statistics;
    private final long startNanos = System.nanoTime();

    LogPages(NvmeOptions options, Statistics statistics) {
        this.options = options;
        this.statistics = statistics;
    }

    /** Fills a page; returns the size of the log, or 0 if there is no such log. */
    int fill(int log, MemorySegment page) {
        page.fill((byte) 0);
        return switch (log) {
            // No command ever failed inside of the controller: the one entry is empty.
            case LogPage.ERROR_INFORMATION -> LogPage.ERROR_ENTRY_BYTES;
            case LogPage.SMART -> smart(page);
            case LogPage.FIRMWARE_SLOT -> firmware(page);
            default -> 0;
        };
    }

    private int smart(MemorySegment page) {
        var smart = LogPage.SMART_INFORMATION.view(page);
        smart.set("temperature", TEMPERATURE_KELVIN)
                .set("avail_spare", SPARE_PERCENT)
                .set("spare_thresh", SPARE_THRESHOLD_PERCENT);
        number(smart.slice("data_units_read"), statistics.dataUnitsRead());
        number(smart.slice("data_units_written"), statistics.dataUnitsWritten());
        number(smart.slice("host_reads"), statistics.reads());
        number(smart.slice("host_writes"), statistics.writes());
        number(smart.slice("power_on_hours"), (System.nanoTime() - startNanos) / NANOS_PER_HOUR);
        return (int) LogPage.SMART_INFORMATION.byteSize();
    }

    private static void number(MemorySegment number128, long value) {
        number128.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
    }

    private int firmware(MemorySegment page) {
        var slots = LogPage.FIRMWARE_SLOT_INFORMATION.view(page).set("afi", FIRST_SLOT_ACTIVE);
        IdentifyData.text(slots.slice("frs1"), options.firmware(), ' ');
        return (int) LogPage.FIRMWARE_SLOT_INFORMATION.byteSize();
    }
}
