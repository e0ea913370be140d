package dev.outboard.specs.virtio;

import static dev.outboard.memory.Register.Access.READ_ONLY;
import static dev.outboard.memory.Register.Access.READ_TO_CLEAR;
import static dev.outboard.memory.Register.Access.READ_WRITE;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;

/**
 * The PCI transport: capabilities of vendors that say where structures are in BARs, and the structures. VIRTIO 1.2,
 * 4.1.
 */
public final class VirtioPciRegisters {
    /** The vendor of every virtio function. 4.1.2. */
    public static final int VENDOR_ID = 0x1af4;
    /** The device of a function that keeps to the specification, less the {@linkplain VirtioDeviceType type}. */
    public static final int DEVICE_ID_BASE = 0x1040;
    /** The first device of functions that also keep to what there was before. 4.1.2.1. */
    public static final int TRANSITIONAL_DEVICE_ID_BASE = 0x1000;
    /** The least revision of a function that keeps to the specification. */
    public static final int REVISION = 1;

    /** The PCI capability's id: a vendor's own. 4.1.4. */
    public static final int CAPABILITY_VENDOR = 0x09;
    /** Capability: its length. */
    public static final Register CAPABILITY_LENGTH = Register.of("cap_len", 2, 8, READ_ONLY, "4.1.4");
    /** Capability: which structure it leads to. */
    public static final Field STRUCTURE = Field.bits("cfg_type", 7, 0)
            .value(1, "COMMON_CFG")
            .value(2, "NOTIFY_CFG")
            .value(3, "ISR_CFG")
            .value(4, "DEVICE_CFG")
            .value(5, "PCI_CFG");
    /** Capability: which structure it leads to. */
    public static final Register CAPABILITY_TYPE = Register.of("cfg_type", 3, 8, READ_ONLY, "4.1.4", STRUCTURE);
    /** Capability: which BAR the structure is in. */
    public static final Register CAPABILITY_BAR = Register.of("bar", 4, 8, READ_ONLY, "4.1.4");
    /** Capability: where in the BAR. */
    public static final Register CAPABILITY_OFFSET = Register.of("offset", 8, 32, READ_ONLY, "4.1.4");
    /** Capability: how long the structure is. */
    public static final Register CAPABILITY_STRUCTURE_LENGTH = Register.of("length", 12, 32, READ_ONLY, "4.1.4");
    /** The size of a capability. */
    public static final int CAPABILITY_BYTES = 16;
    /** Capability of the notify structure: bytes from one queue's notification address to the next. 4.1.4.4. */
    public static final Register NOTIFY_MULTIPLIER = Register.of("notify_off_multiplier", 16, 32, READ_ONLY, "4.1.4.4");
    /** The size of the notify structure's capability. */
    public static final int NOTIFY_CAPABILITY_BYTES = 20;

    /** Structure: common configuration. */
    public static final int COMMON_CFG = 1;
    /** Structure: notifications. */
    public static final int NOTIFY_CFG = 2;
    /** Structure: interrupt status. */
    public static final int ISR_CFG = 3;
    /** Structure: the device's own configuration. */
    public static final int DEVICE_CFG = 4;
    /** Structure: a window in configuration space through which BARs are accessed. */
    public static final int PCI_CFG = 5;

    /** Which 32 bits of the device's features are shown. */
    public static final Register DEVICE_FEATURE_SELECT = common("device_feature_select", 0x00, 32);
    /** 32 bits of the device's features. */
    public static final Register DEVICE_FEATURE = read("device_feature", 0x04, 32);
    /** Which 32 bits of the driver's features are shown. */
    public static final Register DRIVER_FEATURE_SELECT = common("driver_feature_select", 0x08, 32);
    /** 32 bits of the features that the driver takes. */
    public static final Register DRIVER_FEATURE = common("driver_feature", 0x0c, 32);
    /** The MSI-X vector of changes of configuration; {@link #NO_VECTOR} for none. */
    public static final Register CONFIG_MSIX_VECTOR = common("config_msix_vector", 0x10, 16);
    /** How many queues there are. */
    public static final Register NUM_QUEUES = read("num_queues", 0x12, 16);
    /** The device status, see {@link VirtioStatus}; writing 0 resets the device. */
    public static final Register DEVICE_STATUS = Register.of(
            "device_status",
            0x14,
            8,
            READ_WRITE,
            "4.1.4.3",
            VirtioStatus.ACKNOWLEDGE,
            VirtioStatus.DRIVER,
            VirtioStatus.DRIVER_OK,
            VirtioStatus.FEATURES_OK,
            VirtioStatus.DEVICE_NEEDS_RESET,
            VirtioStatus.FAILED);
    /** Changes with the device's configuration. */
    public static final Register CONFIG_GENERATION = read("config_generation", 0x15, 8);
    /** Which queue the registers that follow are of. */
    public static final Register QUEUE_SELECT = common("queue_select", 0x16, 16);
    /** How many descriptors the queue has: at first the most that it can have; 0 if there is no such queue. */
    public static final Register QUEUE_SIZE = common("queue_size", 0x18, 16);
    /** The queue's MSI-X vector; {@link #NO_VECTOR} for none. */
    public static final Register QUEUE_MSIX_VECTOR = common("queue_msix_vector", 0x1a, 16);
    /** 1 once the queue is in use; only a reset takes it back. */
    public static final Register QUEUE_ENABLE = common("queue_enable", 0x1c, 16);
    /** The queue's place in the notify structure, in units of its multiplier. */
    public static final Register QUEUE_NOTIFY_OFF = read("queue_notify_off", 0x1e, 16);
    /** Where the descriptors are, low half. */
    public static final Register QUEUE_DESC_LOW = common("queue_desc_lo", 0x20, 32);
    /** Where the descriptors are, high half. */
    public static final Register QUEUE_DESC_HIGH = common("queue_desc_hi", 0x24, 32);
    /** Where the driver's area is, low half. */
    public static final Register QUEUE_DRIVER_LOW = common("queue_driver_lo", 0x28, 32);
    /** Where the driver's area is, high half. */
    public static final Register QUEUE_DRIVER_HIGH = common("queue_driver_hi", 0x2c, 32);
    /** Where the device's area is, low half. */
    public static final Register QUEUE_DEVICE_LOW = common("queue_device_lo", 0x30, 32);
    /** Where the device's area is, high half. */
    public static final Register QUEUE_DEVICE_HIGH = common("queue_device_hi", 0x34, 32);
    /** What a notification of the queue carries, with NOTIF_CONFIG_DATA. */
    public static final Register QUEUE_NOTIFY_DATA = read("queue_notify_data", 0x38, 16);
    /** Writing 1 resets the queue, with {@link VirtioFeature#RING_RESET}. */
    public static final Register QUEUE_RESET = common("queue_reset", 0x3a, 16);
    /** The size of the common configuration, in bytes. */
    public static final int COMMON_BYTES = 0x3c;
    /** The least size of the common configuration: devices of VIRTIO 1.0 end before {@link #QUEUE_NOTIFY_DATA}. */
    public static final int COMMON_BYTES_1_0 = 0x38;

    /** In a register of vectors: none. */
    public static final int NO_VECTOR = 0xffff;

    /** Interrupt status: a queue was used. 4.1.4.5. */
    public static final Field ISR_QUEUE = Field.bit("QUEUE", 0);
    /** Interrupt status: the configuration changed, or the device needs a reset. */
    public static final Field ISR_CONFIGURATION = Field.bit("CONFIGURATION", 1);
    /** Interrupt status, for INTx: reading clears it and takes the interrupt back. */
    public static final Register ISR = Register.of("ISR", 0, 8, READ_TO_CLEAR, "4.1.4.5", ISR_QUEUE, ISR_CONFIGURATION);

    /** The common configuration. 4.1.4.3. */
    public static final RegisterMap COMMON = RegisterMap.of(
            "virtio",
            DEVICE_FEATURE_SELECT,
            DEVICE_FEATURE,
            DRIVER_FEATURE_SELECT,
            DRIVER_FEATURE,
            CONFIG_MSIX_VECTOR,
            NUM_QUEUES,
            DEVICE_STATUS,
            CONFIG_GENERATION,
            QUEUE_SELECT,
            QUEUE_SIZE,
            QUEUE_MSIX_VECTOR,
            QUEUE_ENABLE,
            QUEUE_NOTIFY_OFF,
            QUEUE_DESC_LOW,
            QUEUE_DESC_HIGH,
            QUEUE_DRIVER_LOW,
            QUEUE_DRIVER_HIGH,
            QUEUE_DEVICE_LOW,
            QUEUE_DEVICE_HIGH,
            QUEUE_NOTIFY_DATA,
            QUEUE_RESET);

    private VirtioPciRegisters() {}

    private static Register common(String name, long offset, int widthBits) {
        return Register.of(name, offset, widthBits, READ_WRITE, "4.1.4.3");
    }

    private static Register read(String name, long offset, int widthBits) {
        return Register.of(name, offset, widthBits, READ_ONLY, "4.1.4.3");
    }
}
