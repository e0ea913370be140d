package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/** The result of an asynchronous event request. NVMe base specification 2.0, 5.2.1. */
public final class AsynchronousEvent {
    /** The type. */
    public static final Field TYPE = Field.bits("AET", 2, 0);
    /** What happened. */
    public static final Field INFORMATION = Field.bits("AEI", 15, 8);
    /** The log page that says more; reading it lets events of this type come again. */
    public static final Field LOG = Field.bits("LID", 23, 16);
    /** How many types there are. */
    public static final int TYPES = 8;
    /** Error: a doorbell of a queue that is not there was written. */
    public static final int INVALID_DOORBELL_REGISTER = 0x01_00_00;
    /** Error: a doorbell got a value that cannot be. */
    public static final int INVALID_DOORBELL_VALUE = 0x01_01_00;
    /** Health: a temperature is beyond its threshold. */
    public static final int TEMPERATURE = 0x02_01_01;
    /** Notice: namespaces came, went or changed. */
    public static final int NAMESPACES_CHANGED = 0x04_00_02;
    /** Notice: firmware activation is starting. */
    public static final int FIRMWARE_ACTIVATION = 0x03_01_02;
    /** Notice: a zone's descriptor changed. */
    public static final int ZONE_CHANGED = 0xbf_ef_02;
    /** I/O command set: a reservation log page is there. */
    public static final int RESERVATION_LOG = 0x80_00_06;
    /** I/O command set: sanitize is done. */
    public static final int SANITIZE_COMPLETED = 0x81_01_06;
    /** Feature 0Bh: health warnings that are events, as bits of critical warning. */
    public static final Field ENABLE_WARNINGS = Field.bits("SMART", 7, 0);
    /** Feature 0Bh, and OAES: changes of namespaces are events. */
    public static final Field ENABLE_NAMESPACES = Field.bit("NAN", 8);
    /** Feature 0Bh, and OAES: activations of firmware are events. */
    public static final Field ENABLE_FIRMWARE = Field.bit("FAN", 9);
    /** Feature 0Bh, and OAES: changes of zones are events. */
    public static final Field ENABLE_ZONES = Field.bit("ZDCN", 27);
    /** Critical warning: a temperature is beyond its threshold. */
    public static final int WARNING_TEMPERATURE = 0x02;

    private AsynchronousEvent() {}
}
