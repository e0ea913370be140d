package dev.outboard.specs.nvme;

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

    private Feature() {}
}
