package dev.outboard.specs.virtio;

/** Features that do not depend on the kind of device, as bits of a mask of 64. VIRTIO 1.2, 6. */
public final class VirtioFeature {
    /** Descriptors may lead to tables of descriptors. 2.7.5.3, 2.8.7. */
    public static final long INDIRECT_DESC = 1L << 28;
    /** Each side says at which index it wants to be notified. 2.7.7, 2.8.10. */
    public static final long EVENT_IDX = 1L << 29;
    /** The device keeps to the specification, not to what there was before. */
    public static final long VERSION_1 = 1L << 32;
    /** Addresses are what the platform has a device use, an IOMMU's for example. */
    public static final long ACCESS_PLATFORM = 1L << 33;
    /** Packed rings, instead of split ones. 2.8. */
    public static final long RING_PACKED = 1L << 34;
    /** The device uses buffers in the order in which they were made available. 2.7.9, 2.8.12. */
    public static final long IN_ORDER = 1L << 35;
    /** The device orders its accesses as a device behind a bus does. */
    public static final long ORDER_PLATFORM = 1L << 36;
    /** A notification says up to where buffers are available. */
    public static final long NOTIFICATION_DATA = 1L << 38;
    /** The driver resets queues one by one. 2.6.1. */
    public static final long RING_RESET = 1L << 40;

    private VirtioFeature() {}
}
