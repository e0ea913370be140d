package dev.outboard.virtio;

/** The device's side of a virtqueue that is in use, in one of the two layouts. */
abstract sealed class DeviceRing permits SplitDeviceRing, PackedDeviceRing {
    private final GuestMemory memory;

    DeviceRing(GuestMemory memory) {
        this.memory = memory;
    }

    /** Whether the rings are in memory that is there. To be asked before each of the other calls. */
    abstract boolean isReachable();

    /** Whether the driver has made more available than was taken. */
    abstract boolean isPending() throws BrokenRingException;

    /** Takes the next request; returns false if there is none. */
    abstract boolean take(DescriptorChain chain) throws BrokenRingException;

    /** Where the next request is taken from, for {@link #rewind}. */
    abstract int position();

    /** Forgets that requests were taken, none of which was completed. */
    abstract void rewind(int position);

    /** Notes that a request is done; the driver does not see it before {@link #publish}. */
    abstract void complete(DescriptorChain chain, int writtenBytes);

    /** Shows the driver what is done; returns whether it wants to be interrupted. */
    abstract boolean publish();

    abstract void enableNotifications();

    abstract void disableNotifications();

    /** Whether an index goes past an event index by a step: vring_need_event of VIRTIO 1.2, 2.7.10. */
    static boolean passes(int event, int index, int previous) {
        return (char) (index - event - 1) < (char) (index - previous);
    }

    /** The table of an indirect descriptor. */
    final GuestRegion table(long address, int length, int descriptorBytes) throws BrokenRingException {
        if (length == 0 || (length & (descriptorBytes - 1)) != 0) {
            throw new BrokenRingException("a table of descriptors of " + Integer.toUnsignedString(length) + " bytes");
        }
        if (Integer.compareUnsigned(length, DescriptorChain.MAXIMUM_BUFFERS * descriptorBytes) > 0) {
            throw new BrokenRingException("a table of more than " + DescriptorChain.MAXIMUM_BUFFERS + " descriptors");
        }
        GuestRegion region = (address & (Long.BYTES - 1)) != 0 ? null : memory.readable(address, length);
        if (region == null) {
            throw new BrokenRingException("a table of descriptors at 0x" + Long.toHexString(address)
                    + ", where no memory is shared, or no multiple of " + Long.BYTES);
        }
        return region;
    }
}
