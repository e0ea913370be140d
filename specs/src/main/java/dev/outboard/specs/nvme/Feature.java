package dev.outboard.specs.nvme;

import static dev.outboard.linux.Struct.bytes;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;

import dev.outboard.linux.Struct;
import dev.outboard.memory.Field;

/** Feature identifiers. NVMe base specification 2.0, figure 317. */
public final class Feature {
    /** Arbitration. */
    public static final int ARBITRATION = 0x01;
    /** Power management. */
    public static final int POWER_MANAGEMENT = 0x02;
    /** Temperature threshold. */
    public static final int TEMPERATURE_THRESHOLD = 0x04;
    /** Error recovery. */
    public static final int ERROR_RECOVERY = 0x05;
    /** Volatile write cache. */
    public static final int VOLATILE_WRITE_CACHE = 0x06;
    /** Number of queues: both counts less one, submission queues in the low half. */
    public static final int NUMBER_OF_QUEUES = 0x07;
    /** Interrupt coalescing. */
    public static final int INTERRUPT_COALESCING = 0x08;
    /** Interrupt vector configuration. */
    public static final int INTERRUPT_VECTOR_CONFIGURATION = 0x09;
    /** Write atomicity. */
    public static final int WRITE_ATOMICITY = 0x0a;
    /** Asynchronous event configuration. */
    public static final int ASYNCHRONOUS_EVENT_CONFIGURATION = 0x0b;
    /** Host memory buffer. */
    public static final int HOST_MEMORY_BUFFER = 0x0d;
    /** Timestamp: milliseconds since 1970, in a buffer of 8 bytes. */
    public static final int TIMESTAMP = 0x0e;
    /** Keep alive timer, in milliseconds. */
    public static final int KEEP_ALIVE_TIMER = 0x0f;
    /** Autonomous power state transitions: a table of 256 bytes. */
    public static final int AUTONOMOUS_POWER_STATE = 0x0c;
    /** Non-operational power state configuration. */
    public static final int NON_OPERATIONAL_POWER_STATE = 0x11;
    /** Host behaviour support: a buffer of {@link #HOST_BEHAVIOR_BYTES}. */
    public static final int HOST_BEHAVIOR_SUPPORT = 0x16;
    /** Host behaviour support: the size of its buffer. */
    public static final int HOST_BEHAVIOR_BYTES = 512;
    /** Host behaviour support: the byte that is 1 if the host knows extended LBA formats. */
    public static final long LBAFEE = 2;
    /** Sanitize configuration. */
    public static final int SANITIZE_CONFIGURATION = 0x17;
    /** I/O command set profile: which combination of command sets is enabled. */
    public static final int COMMAND_SET_PROFILE = 0x19;
    /** Software progress marker. */
    public static final int SOFTWARE_PROGRESS_MARKER = 0x80;
    /** Host identifier: a buffer of 8 or 16 bytes. */
    public static final int HOST_IDENTIFIER = 0x81;
    /** Reservation notification mask. */
    public static final int RESERVATION_NOTIFICATION_MASK = 0x82;
    /** Reservation persistence. */
    public static final int RESERVATION_PERSISTENCE = 0x83;
    /** Namespace write protection. */
    public static final int WRITE_PROTECTION = 0x84;

    /** CDW10 of get features: which of its values. */
    public static final Field SELECT = Field.bits("SEL", 10, 8);
    /** CDW10 of set features: save the value. */
    public static final Field SAVE = Field.bit("SV", 31);
    /** Select: the value in effect. */
    public static final int SELECT_CURRENT = 0;
    /** Select: the value after power-on where none was saved. */
    public static final int SELECT_DEFAULT = 1;
    /** Select: the value that was saved. */
    public static final int SELECT_SAVED = 2;
    /** Select: what can be done with the feature. */
    public static final int SELECT_CAPABILITIES = 3;
    /** Capability: can be saved. */
    public static final int CAN_BE_SAVED = 1;
    /** Capability: belongs to a namespace. */
    public static final int IS_NAMESPACE_SPECIFIC = 2;
    /** Capability: can be changed. */
    public static final int CAN_BE_CHANGED = 4;
    /** Arbitration: a queue's commands at once, as a power of two; 7 is no limit. */
    public static final Field ARBITRATION_BURST = Field.bits("AB", 2, 0);
    /** Arbitration: the weight of low priority, less one. */
    public static final Field LOW_WEIGHT = Field.bits("LPW", 15, 8);
    /** Arbitration: the weight of medium priority, less one. */
    public static final Field MEDIUM_WEIGHT = Field.bits("MPW", 23, 16);
    /** Arbitration: the weight of high priority, less one. */
    public static final Field HIGH_WEIGHT = Field.bits("HPW", 31, 24);
    /** Power management: the power state. */
    public static final Field POWER_STATE = Field.bits("PS", 4, 0);
    /** Temperature threshold: the temperature, in kelvin. */
    public static final Field THRESHOLD = Field.bits("TMPTH", 15, 0);
    /** Temperature threshold: which sensor; 0 is the composite temperature, 15 all. */
    public static final Field THRESHOLD_SENSOR = Field.bits("TMPSEL", 19, 16);
    /** Temperature threshold: 0 for over, 1 for under temperature. */
    public static final Field THRESHOLD_TYPE = Field.bits("THSEL", 21, 20);
    /** Interrupt coalescing: completions before an interrupt, less one. */
    public static final Field COALESCING_THRESHOLD = Field.bits("THR", 7, 0);
    /** Interrupt coalescing: how long an interrupt may wait, in units of 100 microseconds. */
    public static final Field COALESCING_TIME = Field.bits("TIME", 15, 8);
    /** Interrupt vector configuration: the vector. */
    public static final Field VECTOR = Field.bits("IV", 15, 0);
    /** Interrupt vector configuration: no coalescing. */
    public static final Field COALESCING_DISABLED = Field.bit("CD", 16);
    /** Number of queues: submission queues, less one. */
    public static final Field SUBMISSION_QUEUES = Field.bits("NSQR", 15, 0);
    /** Number of queues: completion queues, less one. */
    public static final Field COMPLETION_QUEUES = Field.bits("NCQR", 31, 16);
    /** Host identifier: 128 bits. */
    public static final Field EXTENDED_HOST_ID = Field.bit("EXHID", 0);
    /** Write protection: the state. */
    public static final Field WRITE_PROTECTION_STATE = Field.bits("WPS", 2, 0);

    /** Host memory buffer: the controller may use it. */
    public static final Field HOST_MEMORY_ENABLED = Field.bit("EHM", 0);
    /** Host memory buffer: it is the memory of before, untouched. */
    public static final Field HOST_MEMORY_RETURNED = Field.bit("MR", 1);

    /** What get features tells of the host memory buffer, under the names that nvme-cli gives the fields. Figure 335. */
    public static final Struct HOST_MEMORY_ATTRIBUTES = Struct.packed(
            "nvme_host_mem_buf_attrs",
            u32("hsize"),
            u32("hmdlal"),
            u32("hmdlau"),
            u32("hmdlec"),
            bytes("rsvd16", 4080));

    /** An entry of the list of what the host memory buffer consists of: an address, and pages of CC.MPS. Figure 334. */
    public static final Struct HOST_MEMORY_DESCRIPTOR =
            Struct.packed("nvme_host_mem_buf_desc", u64("addr"), u32("size"), u32("rsvd"));

    private Feature() {}
}
