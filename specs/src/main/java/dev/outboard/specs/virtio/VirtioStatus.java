package dev.outboard.specs.virtio;

import dev.outboard.memory.Field;

/** The device status, which driver and device go through together. VIRTIO 1.2, 2.1. */
public final class VirtioStatus {
    /** The driver has noticed the device. */
    public static final Field ACKNOWLEDGE = Field.bit("ACKNOWLEDGE", 0);
    /** It knows how to drive it. */
    public static final Field DRIVER = Field.bit("DRIVER", 1);
    /** It drives it: queues are in use. */
    public static final Field DRIVER_OK = Field.bit("DRIVER_OK", 2);
    /** Features are agreed on; a device that does not agree leaves it clear. */
    public static final Field FEATURES_OK = Field.bit("FEATURES_OK", 3);
    /** The device has met an error that only a reset ends. */
    public static final Field DEVICE_NEEDS_RESET = Field.bit("DEVICE_NEEDS_RESET", 6);
    /** The driver has given up. */
    public static final Field FAILED = Field.bit("FAILED", 7);

    private VirtioStatus() {}
}
