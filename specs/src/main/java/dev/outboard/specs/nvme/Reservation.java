package dev.outboard.specs.nvme;

import static dev.outboard.linux.Struct.bytes;
import static dev.outboard.linux.Struct.u16;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;
import static dev.outboard.linux.Struct.u8;

import dev.outboard.linux.Struct;
import dev.outboard.memory.Field;

/** Reservations: which hosts may use a namespace. NVMe base specification 2.0, 7.2 to 7.5 and 8.19. */
public final class Reservation {
    /** CDW10: the action. */
    public static final Field ACTION = Field.bits("ACTION", 2, 0);
    /** CDW10: ignore the existing key. */
    public static final Field IGNORE_KEY = Field.bit("IEKEY", 3);
    /** CDW10 of acquire and release: the type. */
    public static final Field TYPE = Field.bits("RTYPE", 15, 8);
    /** CDW10 of register: change persistence through power loss. */
    public static final Field PERSISTENCE = Field.bits("CPTPL", 31, 30);
    /** CPTPL: reservations end with the power. */
    public static final int PERSISTENCE_OFF = 2;
    /** CPTPL: reservations outlive the power. */
    public static final int PERSISTENCE_ON = 3;
    /** Register: a new key. */
    public static final int REGISTER = 0;
    /** Register: no longer. */
    public static final int UNREGISTER = 1;
    /** Register: another key. */
    public static final int REPLACE = 2;
    /** Acquire: a free reservation. */
    public static final int ACQUIRE = 0;
    /** Acquire: from another host. */
    public static final int PREEMPT = 1;
    /** Acquire: from another host, whose commands are aborted. */
    public static final int PREEMPT_AND_ABORT = 2;
    /** Release: the reservation. */
    public static final int RELEASE = 0;
    /** Release: everything, registrations too. */
    public static final int CLEAR = 1;
    /** Type: one host writes, all read. */
    public static final int WRITE_EXCLUSIVE = 1;
    /** Type: one host reads and writes. */
    public static final int EXCLUSIVE_ACCESS = 2;
    /** Type: registered hosts write, all read. */
    public static final int WRITE_EXCLUSIVE_REGISTRANTS = 3;
    /** Type: registered hosts read and write. */
    public static final int EXCLUSIVE_ACCESS_REGISTRANTS = 4;
    /** Type: registered hosts write and hold, all read. */
    public static final int WRITE_EXCLUSIVE_ALL_REGISTRANTS = 5;
    /** Type: registered hosts read, write and hold. */
    public static final int EXCLUSIVE_ACCESS_ALL_REGISTRANTS = 6;
    /** Register, acquire and release: where the host's key is in the data, 64 bits. */
    public static final long CURRENT_KEY = 0;
    /** Register: where the new key is; acquire: where the preempted host's key is. */
    public static final long OTHER_KEY = 8;
    /** The size of the data of register and acquire. */
    public static final int KEYS_BYTES = 16;
    /** CDW11 of report: host identifiers of 128 bits. */
    public static final Field EXTENDED = Field.bit("EDS", 0);
    /** RCSTS: the host holds the reservation. */
    public static final int HOLDER = 1;
    /** RESCAP: persistence, and all six types. */
    public static final int ALL_CAPABILITIES = 0x7f;

    /** The head of the report, which the hosts follow. Figure 384. */
    public static final Struct STATUS = Struct.packed(
            "nvme_resv_status",
            u32("gen"),
            u8("rtype"),
            u16("regctl"),
            bytes("rsvd7", 2),
            u8("ptpls"),
            bytes("rsvd10", 14));
    /** The size of the report's head when host identifiers have 128 bits. */
    public static final int EXTENDED_STATUS_BYTES = 64;
    /** A host in the report. Figure 385. */
    public static final Struct REGISTRANT = Struct.packed(
            "nvme_registered_ctrl", u16("cntlid"), u8("rcsts"), bytes("rsvd3", 5), u64("hostid"), u64("rkey"));
    /** A host in the report, with an identifier of 128 bits. Figure 386. */
    public static final Struct EXTENDED_REGISTRANT = Struct.packed(
            "nvme_registered_ctrl_ext",
            u16("cntlid"),
            u8("rcsts"),
            bytes("rsvd3", 5),
            u64("rkey"),
            bytes("hostid", 16),
            bytes("rsvd32", 32));

    private Reservation() {}
}
