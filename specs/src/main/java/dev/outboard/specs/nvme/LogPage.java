package dev.outboard.specs.nvme;

import static dev.outboard.linux.Struct.bytes;
import static dev.outboard.linux.Struct.u16;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u8;

import dev.outboard.linux.Struct;
import dev.outboard.memory.Field;

/**
 * Log pages, under the names that nvme-cli gives the fields. Numbers of 128 bits and text are arrays of bytes. NVMe base
 * specification 2.0, 5.16.1.
 */
public final class LogPage {
    /** Log identifier: errors. */
    public static final int ERROR_INFORMATION = 0x01;
    /** Log identifier: SMART and health. */
    public static final int SMART = 0x02;
    /** Log identifier: firmware slots. */
    public static final int FIRMWARE_SLOT = 0x03;

    /** Get log page, CDW10: the low half of the number of dwords, less one. */
    public static final Field NUMBER_OF_DWORDS_LOW = Field.bits("NUMDL", 31, 16);
    /** Get log page, CDW11: the high half of the number of dwords, less one. */
    public static final Field NUMBER_OF_DWORDS_HIGH = Field.bits("NUMDU", 15, 0);

    /** The size of one entry of the error log. Figure 206. */
    public static final int ERROR_ENTRY_BYTES = 64;

    /** The SMART log, figure 208. */
    public static final Struct SMART_INFORMATION = Struct.packed(
            "nvme_smart_log",
            u8("critical_warning"),
            u16("temperature"),
            u8("avail_spare"),
            u8("spare_thresh"),
            u8("percent_used"),
            u8("endu_grp_crit_warn_sumry"),
            bytes("rsvd7", 25),
            bytes("data_units_read", 16),
            bytes("data_units_written", 16),
            bytes("host_reads", 16),
            bytes("host_writes", 16),
            bytes("ctrl_busy_time", 16),
            bytes("power_cycles", 16),
            bytes("power_on_hours", 16),
            bytes("unsafe_shutdowns", 16),
            bytes("media_errors", 16),
            bytes("num_err_log_entries", 16),
            u32("warning_temp_time"),
            u32("critical_comp_time"),
            bytes("temp_sensor", 16),
            u32("thm_temp1_trans_count"),
            u32("thm_temp2_trans_count"),
            u32("thm_temp1_total_time"),
            u32("thm_temp2_total_time"),
            bytes("rsvd232", 280));

    /** The firmware slot log, figure 210. */
    public static final Struct FIRMWARE_SLOT_INFORMATION = Struct.packed(
            "nvme_firmware_slot",
            u8("afi"),
            bytes("rsvd1", 7),
            bytes("frs1", 8),
            bytes("frs2", 8),
            bytes("frs3", 8),
            bytes("frs4", 8),
            bytes("frs5", 8),
            bytes("frs6", 8),
            bytes("frs7", 8),
            bytes("rsvd64", 448));

    private LogPage() {}
}
