package dev.outboard.specs.virtio;

/**
 * A packed virtqueue: one ring of descriptors, which the driver makes available and the device overwrites when it has
 * used them, and two structures by which each side says when it wants to be notified. Offsets are in bytes, all numbers
 * little-endian. VIRTIO 1.2, 2.8.
 */
public final class PackedRing {
    /** The most descriptors a queue can have. 2.8. */
    public static final int MAXIMUM_SIZE = 1 << 15;
    /** What the address of the ring is a multiple of. */
    public static final int DESCRIPTOR_ALIGNMENT = 16;
    /** What the addresses of the event suppression structures are multiples of. */
    public static final int EVENT_ALIGNMENT = 4;

    /** The size of a descriptor. 2.8.13. */
    public static final int DESCRIPTOR_BYTES = 16;
    /** Descriptor: where the buffer is, 64 bits. */
    public static final int DESCRIPTOR_ADDRESS = 0;
    /** Descriptor: its length (32 bits), the buffer's id (16) and flags (16), as one word of 64. */
    public static final int DESCRIPTOR_WORD = 8;
    /** Descriptor: flags, 16 bits. */
    public static final int DESCRIPTOR_FLAGS = 14;
    /** Descriptor word: where the buffer's id begins. */
    public static final int ID_SHIFT = 32;
    /** Descriptor word: where the flags begin. */
    public static final int FLAGS_SHIFT = 48;
    /** Descriptor flags: another one follows. */
    public static final int FLAG_NEXT = 1;
    /** Descriptor flags: the device writes the buffer, else it reads it; of a used descriptor: its length is valid. */
    public static final int FLAG_WRITE = 2;
    /** Descriptor flags: the buffer is a table of descriptors. */
    public static final int FLAG_INDIRECT = 4;
    /** Descriptor flags: the driver's wrap counter when it made it available. 2.8.1. */
    public static final int FLAG_AVAILABLE = 1 << 7;
    /** Descriptor flags: the same as {@link #FLAG_AVAILABLE} once it is used, else the contrary. */
    public static final int FLAG_USED = 1 << 15;

    /** The size of an event suppression structure. 2.8.14. */
    public static final int EVENT_BYTES = 4;
    /** Event suppression: a position in the ring (bits 14 to 0) and its wrap counter (bit 15), 16 bits. */
    public static final int EVENT_POSITION = 0;
    /** Event suppression, position: where the wrap counter is. */
    public static final int EVENT_WRAP_SHIFT = 15;
    /** Event suppression: one of the three below, 16 bits. */
    public static final int EVENT_FLAGS = 2;
    /** Event suppression: notify of everything. */
    public static final int EVENT_ENABLE = 0;
    /** Event suppression: notify of nothing. */
    public static final int EVENT_DISABLE = 1;
    /** Event suppression: notify when the position is reached; with {@link VirtioFeature#EVENT_IDX}. */
    public static final int EVENT_AT_POSITION = 2;

    private PackedRing() {}

    /**
     * The size of the ring.
     *
     * @param size how many descriptors there are
     * @return bytes
     */
    public static long descriptorBytes(int size) {
        return (long) size * DESCRIPTOR_BYTES;
    }
}
