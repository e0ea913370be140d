package dev.outboard.specs.virtio;

/**
 * A split virtqueue: a table of descriptors, a ring in which the driver makes them available, and a ring in which the
 * device says which it has used. Offsets are in bytes, all numbers little-endian. VIRTIO 1.2, 2.7.
 */
public final class SplitRing {
    /** The most descriptors a queue can have; their number is a power of two. 2.7. */
    public static final int MAXIMUM_SIZE = 1 << 15;
    /** What the address of the descriptor table is a multiple of. */
    public static final int DESCRIPTOR_ALIGNMENT = 16;
    /** What the address of the available ring is a multiple of. */
    public static final int AVAILABLE_ALIGNMENT = 2;
    /** What the address of the used ring is a multiple of. */
    public static final int USED_ALIGNMENT = 4;

    /** The size of a descriptor. 2.7.5. */
    public static final int DESCRIPTOR_BYTES = 16;
    /** Descriptor: where the buffer is, 64 bits. */
    public static final int DESCRIPTOR_ADDRESS = 0;
    /** Descriptor: its length (32 bits), flags (16) and the next descriptor's index (16), as one word of 64. */
    public static final int DESCRIPTOR_WORD = 8;
    /** Descriptor word: where the flags begin. */
    public static final int FLAGS_SHIFT = 32;
    /** Descriptor word: where the next descriptor's index begins. */
    public static final int NEXT_SHIFT = 48;
    /** Descriptor flags: another one follows. */
    public static final int FLAG_NEXT = 1;
    /** Descriptor flags: the device writes the buffer, else it reads it. */
    public static final int FLAG_WRITE = 2;
    /** Descriptor flags: the buffer is a table of descriptors. */
    public static final int FLAG_INDIRECT = 4;

    /** Available ring: flags, 16 bits. 2.7.6. */
    public static final int AVAILABLE_FLAGS = 0;
    /** Available ring, flags: the driver wants no interrupts. */
    public static final int AVAILABLE_NO_INTERRUPT = 1;
    /** Available ring: how many were made available, modulo 65536. */
    public static final int AVAILABLE_INDEX = 2;
    /** Available ring: the first of as many entries of 16 bits as there are descriptors. */
    public static final int AVAILABLE_RING = 4;
    /** The size of an entry of the available ring. */
    public static final int AVAILABLE_ENTRY_BYTES = 2;

    /** Used ring: flags, 16 bits. 2.7.8. */
    public static final int USED_FLAGS = 0;
    /** Used ring, flags: the device wants no notifications. */
    public static final int USED_NO_NOTIFY = 1;
    /** Used ring: how many were used, modulo 65536. */
    public static final int USED_INDEX = 2;
    /** Used ring: the first of as many entries as there are descriptors. */
    public static final int USED_RING = 4;
    /** The size of an entry of the used ring. */
    public static final int USED_ENTRY_BYTES = 8;
    /** Entry of the used ring: the chain's first descriptor, 32 bits. */
    public static final int USED_ID = 0;
    /** Entry of the used ring: how many bytes the device wrote, 32 bits. */
    public static final int USED_LENGTH = 4;

    /** The size of the index, of 16 bits, that follows each ring: {@code used_event}, {@code avail_event}. 2.7.7. */
    public static final int EVENT_BYTES = 2;

    private SplitRing() {}

    /**
     * The size of the descriptor table.
     *
     * @param size how many descriptors there are
     * @return bytes
     */
    public static long descriptorBytes(int size) {
        return (long) size * DESCRIPTOR_BYTES;
    }

    /**
     * The size of the available ring, with {@code used_event}.
     *
     * @param size how many descriptors there are
     * @return bytes
     */
    public static long availableBytes(int size) {
        return usedEvent(size) + EVENT_BYTES;
    }

    /**
     * The size of the used ring, with {@code avail_event}.
     *
     * @param size how many descriptors there are
     * @return bytes
     */
    public static long usedBytes(int size) {
        return availableEvent(size) + EVENT_BYTES;
    }

    /**
     * Where {@code used_event} is: the index of the used ring at which the driver wants an interrupt.
     *
     * @param size how many descriptors there are
     * @return its offset in the available ring
     */
    public static long usedEvent(int size) {
        return AVAILABLE_RING + (long) size * AVAILABLE_ENTRY_BYTES;
    }

    /**
     * Where {@code avail_event} is: the index of the available ring at which the device wants a notification.
     *
     * @param size how many descriptors there are
     * @return its offset in the used ring
     */
    public static long availableEvent(int size) {
        return USED_RING + (long) size * USED_ENTRY_BYTES;
    }
}
