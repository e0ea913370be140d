package dev.outboard.specs.nvme;

import static dev.outboard.linux.Struct.bytes;
import static dev.outboard.linux.Struct.u16;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;
import static dev.outboard.linux.Struct.u8;

import dev.outboard.linux.Struct;
import dev.outboard.memory.Field;

/**
 * Log pages, under the names that nvme-cli gives the fields. Numbers of 128 bits and text are arrays of bytes. NVMe base
 * specification 2.0, 5.16.1.
 */
public final class LogPage {
    /** Log identifier: which log pages there are. */
    public static final int SUPPORTED_LOG_PAGES = 0x00;
    /** Log identifier: errors. */
    public static final int ERROR_INFORMATION = 0x01;
    /** Log identifier: SMART and health. */
    public static final int SMART = 0x02;
    /** Log identifier: firmware slots. */
    public static final int FIRMWARE_SLOT = 0x03;
    /** Log identifier: namespaces that changed. */
    public static final int CHANGED_NAMESPACES = 0x04;
    /** Log identifier: commands and their effects. */
    public static final int COMMAND_EFFECTS = 0x05;
    /** Log identifier: device self-tests. */
    public static final int SELF_TEST = 0x06;
    /** Log identifier: features and their effects. */
    public static final int FEATURE_EFFECTS = 0x12;
    /** Log identifier: reservation notifications. */
    public static final int RESERVATION_NOTIFICATION = 0x80;
    /** Log identifier: sanitize. */
    public static final int SANITIZE = 0x81;
    /** Log identifier: zones that changed. */
    public static final int CHANGED_ZONES = 0xbf;

    /** Get log page, CDW10: events of its type stay masked. */
    public static final Field RETAIN_EVENT = Field.bit("RAE", 15);
    /** Get log page, CDW14: the offset is an index. */
    public static final Field OFFSET_TYPE = Field.bit("OT", 23);
    /** Get log page, CDW14: the command set. */
    public static final Field COMMAND_SET = Field.bits("CSI", 31, 24);
    /** Get log page, CDW10: the low half of the number of dwords, less one. */
    public static final Field NUMBER_OF_DWORDS_LOW = Field.bits("NUMDL", 31, 16);
    /** Get log page, CDW11: the high half of the number of dwords, less one. */
    public static final Field NUMBER_OF_DWORDS_HIGH = Field.bits("NUMDU", 15, 0);

    /** The size of one entry of the error log. Figure 206. */
    public static final int ERROR_ENTRY_BYTES = 64;

    /** An entry of the error log. Figure 206. */
    public static final Struct ERROR_ENTRY = Struct.packed(
            "nvme_error_log_page",
            u64("error_count"),
            u16("sqid"),
            u16("cmdid"),
            u16("status_field"),
            u16("parm_error_location"),
            u64("lba"),
            u32("nsid"),
            u8("vs"),
            u8("trtype"),
            bytes("rsvd30", 2),
            u64("cs"),
            u16("trtype_spec_info"),
            bytes("rsvd42", 22));

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

    /** The head of the self-test log; results follow, the newest first. Figure 215. */
    public static final Struct SELF_TEST_HEAD = Struct.packed(
            "nvme_self_test_log", u8("crnt_dev_selftest_oprn"), u8("crnt_dev_selftest_compln"), u16("rsvd2"));
    /** How many results the self-test log has. */
    public static final int SELF_TEST_RESULTS = 20;
    /** A result in the self-test log. Figure 216. */
    public static final Struct SELF_TEST_RESULT = Struct.packed(
            "nvme_st_result",
            u8("dsts"),
            u8("seg"),
            u8("vdi"),
            u8("rsvd"),
            u64("poh"),
            u32("nsid"),
            u64("flba"),
            u8("sct"),
            u8("sc"),
            u16("vs"));

    /** The sanitize log. Figure 267. */
    public static final Struct SANITIZE_STATUS = Struct.packed(
            "nvme_sanitize_log_page",
            u16("sprog"),
            u16("sstat"),
            u32("scdw10"),
            u32("eto"),
            u32("etbe"),
            u32("etce"),
            u32("etond"),
            u32("etbend"),
            u32("etcend"),
            bytes("rsvd32", 480));

    private LogPage() {}
}
