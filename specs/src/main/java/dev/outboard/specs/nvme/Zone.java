package dev.outboard.specs.nvme;

import static dev.outboard.linux.Struct.bytes;
import static dev.outboard.linux.Struct.u16;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;
import static dev.outboard.linux.Struct.u8;

import dev.outboard.linux.Struct;
import dev.outboard.memory.Field;

/** Zones: their states, and the commands that change them. Zoned namespace command set specification 1.1. */
public final class Zone {
    /** CDW13 of zone management send: the action. */
    public static final Field SEND_ACTION = Field.bits("ZSA", 7, 0);
    /** CDW13 of zone management send: all zones that the action can change. */
    public static final Field SELECT_ALL = Field.bit("SELECT_ALL", 8);
    /** Action: close. */
    public static final int CLOSE = 0x01;
    /** Action: finish. */
    public static final int FINISH = 0x02;
    /** Action: open. */
    public static final int OPEN = 0x03;
    /** Action: reset. */
    public static final int RESET = 0x04;
    /** Action: take offline. */
    public static final int OFFLINE = 0x05;
    /** Action: set the descriptor's extension. */
    public static final int SET_EXTENSION = 0x10;
    /** CDW13 of zone management receive: the action. */
    public static final Field RECEIVE_ACTION = Field.bits("ZRA", 7, 0);
    /** CDW13 of zone management receive: which zones, one of the REPORT constants. */
    public static final Field RECEIVE_SELECT = Field.bits("ZRASF", 15, 8);
    /** CDW13 of zone management receive: count only the zones that are reported. */
    public static final Field PARTIAL = Field.bit("PARTIAL", 16);
    /** Action: report zones. */
    public static final int REPORT = 0x00;
    /** Action: report zones with their descriptors' extensions. */
    public static final int EXTENDED_REPORT = 0x01;
    /** State: empty. */
    public static final int EMPTY = 0x1;
    /** State: implicitly opened. */
    public static final int IMPLICITLY_OPENED = 0x2;
    /** State: explicitly opened. */
    public static final int EXPLICITLY_OPENED = 0x3;
    /** State: closed. */
    public static final int CLOSED = 0x4;
    /** State: read only. */
    public static final int READ_ONLY = 0xd;
    /** State: full. */
    public static final int FULL = 0xe;
    /** State: offline. */
    public static final int IS_OFFLINE = 0xf;
    /** Zone descriptor: the state. */
    public static final Field STATE = Field.bits("ZS", 7, 4);
    /** Zone descriptor: the only type, sequential write required. */
    public static final int SEQUENTIAL_WRITE_REQUIRED = 2;
    /** Zone attributes: the descriptor's extension is valid. */
    public static final int ATTRIBUTE_EXTENSION_VALID = 0x80;
    /** The report's head: the number of zones, 64 bits; descriptors follow after this many bytes. */
    public static final int REPORT_HEAD_BYTES = 64;

    /** A zone's descriptor. Figure 37. */
    public static final Struct DESCRIPTOR = Struct.packed(
            "nvme_zns_desc",
            u8("zt"),
            u8("zs"),
            u8("za"),
            u8("zai"),
            bytes("rsvd4", 4),
            u64("zcap"),
            u64("zslba"),
            u64("wp"),
            bytes("rsvd32", 32));
    /** Identify namespace of the zoned namespace command set. Figure 48. */
    public static final Struct NAMESPACE = Struct.packed(
            "nvme_zns_id_ns",
            u16("zoc"),
            u16("ozcs"),
            u32("mar"),
            u32("mor"),
            u32("rrl"),
            u32("frl"),
            bytes("rsvd20", 2796),
            bytes("lbafe", 1024),
            bytes("vs", 256));
    /** Identify controller of the zoned namespace command set. Figure 50. */
    public static final Struct CONTROLLER = Struct.packed("nvme_zns_id_ctrl", u8("zasl"), bytes("rsvd1", 4095));
    /** MAR, MOR: there is no limit. */
    public static final int UNLIMITED = 0xffff_ffff;
    /** OZCS: reads may cross the boundaries of zones. */
    public static final int READ_ACROSS_BOUNDARIES = 0x01;
    /** The size of an LBA format extension in {@code lbafe}. */
    public static final int FORMAT_EXTENSION_BYTES = 16;
    /** An LBA format extension: a zone's size, in blocks, and its descriptor's extension's, in units of 64 bytes. */
    public static final Struct FORMAT_EXTENSION =
            Struct.packed("nvme_zns_lbafe", u64("zsze"), u8("zdes"), bytes("rsvd9", 7));
    /** The unit of {@code zdes}. */
    public static final int EXTENSION_UNIT_BYTES = 64;

    private Zone() {}
}
