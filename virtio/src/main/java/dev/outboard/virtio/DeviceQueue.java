package dev.outboard.virtio;

import dev.outboard.specs.virtio.VirtioFeature;
import org.jspecify.annotations.Nullable;

/**
 * The device's side of a virtqueue. VIRTIO 1.2, 2.6 to 2.8.
 *
 * <p>The device takes requests and completes them, in any order; what it completed is shown to the driver, and the driver
 * interrupted if it wants that, by {@link #publish}, once for any number of requests. The transport enables the queue, and
 * says when it wants to be notified. Everything is called on one thread, that of the transport. Nothing allocates.
 *
 * <p>What the driver writes is checked, and read once. What cannot be breaks the queue: it has no more requests, and
 * {@link QueueEvents#broken} is told why.
 */
public final class DeviceQueue {
    /** The features that a queue can be enabled with; transports offer them. */
    public static final long FEATURES =
            VirtioFeature.INDIRECT_DESC | VirtioFeature.EVENT_IDX | VirtioFeature.RING_PACKED;

    private final int index;
    private final GuestMemory memory;
    private final QueueEvents events;
    private @Nullable DeviceRing ring;
    private boolean notifying = true;

    /**
     * A queue that is not in use yet.
     *
     * @param index its number, from 0
     * @param memory where it and its buffers will be
     * @param events who is told what happens
     */
    public DeviceQueue(int index, GuestMemory memory, QueueEvents events) {
        this.index = index;
        this.memory = memory;
        this.events = events;
    }

    /**
     * Its number.
     *
     * @return from 0
     */
    public int index() {
        return index;
    }

    /**
     * Where it and its buffers are.
     *
     * @return the driver's memory
     */
    public GuestMemory memory() {
        return memory;
    }

    /**
     * Takes the queue into use, from its beginning. Notifications are enabled.
     *
     * @param at where it is
     * @param features what was agreed on, of which {@link #FEATURES} count
     */
    public void enable(QueueAddresses at, long features) {
        enable(at, features, isPacked(features) ? PackedDeviceRing.START : 0);
    }

    /**
     * Takes the queue into use where another device has left it. Notifications are enabled.
     *
     * @param at where it is
     * @param features what was agreed on, of which {@link #FEATURES} count
     * @param position what {@link #disable} returned: of a split queue the index of the next request (16 bits); of a
     *     packed one that index (bits 14 to 0) and its wrap counter (15), and the same of the next used descriptor (30 to
     *     16, 31)
     */
    public void enable(QueueAddresses at, long features, int position) {
        notifying = true;
        try {
            ring = isPacked(features)
                    ? new PackedDeviceRing(memory, at, features, position)
                    : new SplitDeviceRing(memory, at, features, position);
        } catch (BrokenRingException e) {
            fail(e);
        }
    }

    private static boolean isPacked(long features) {
        return (features & VirtioFeature.RING_PACKED) != 0;
    }

    /**
     * Ends the queue's use.
     *
     * @return the position at which to go on
     */
    public int disable() {
        DeviceRing current = ring;
        ring = null;
        return current == null ? 0 : current.position();
    }

    /**
     * Whether the queue is in use.
     *
     * @return false before it is enabled, and after it was disabled or broken
     */
    public boolean isEnabled() {
        return ring != null;
    }

    /**
     * Whether {@link #take} would find a request.
     *
     * @return false if there is none
     */
    public boolean isPending() {
        DeviceRing current = reachable();
        try {
            return current != null && current.isPending();
        } catch (BrokenRingException e) {
            fail(e);
            return false;
        }
    }

    /**
     * Takes the next request.
     *
     * @param chain filled with it
     * @return false if there is none
     */
    public boolean take(DescriptorChain chain) {
        DeviceRing current = reachable();
        try {
            return current != null && current.take(chain);
        } catch (BrokenRingException e) {
            fail(e);
            return false;
        }
    }

    /**
     * Where the next request is taken from.
     *
     * @return a position, for {@link #rewind} and {@link #enable}
     */
    public int position() {
        DeviceRing current = ring;
        return current == null ? 0 : current.position();
    }

    /**
     * Puts requests back, none of which was completed; they are taken again.
     *
     * @param position the {@link #position} before the first of them was taken
     */
    public void rewind(int position) {
        DeviceRing current = ring;
        if (current != null) {
            current.rewind(position);
        }
    }

    /**
     * Completes a request. The driver does not see it before {@link #publish}.
     *
     * @param chain a request that was taken
     * @param writtenBytes how much of it was written, from the start of what was to be written
     */
    public void complete(DescriptorChain chain, long writtenBytes) {
        DeviceRing current = reachable();
        if (current != null) {
            current.complete(chain, (int) writtenBytes);
        }
    }

    /** Shows the driver what was completed, and interrupts it if it wants that. */
    public void publish() {
        DeviceRing current = reachable();
        if (current != null && current.publish()) {
            events.used(index);
        }
    }

    /**
     * Says whether the driver shall notify the transport of new requests. After enabling, look once more whether one
     * {@linkplain #isPending is pending}: it may have come just before.
     *
     * @param wanted whether notifications are of use
     */
    public void setNotifying(boolean wanted) {
        // An event index is behind once requests were taken, so enabling is never in vain.
        DeviceRing current = wanted || notifying ? reachable() : null;
        if (current == null) {
            return;
        }
        notifying = wanted;
        if (wanted) {
            current.enableNotifications();
        } else {
            current.disableNotifications();
        }
    }

    /**
     * Breaks the queue, for devices that find a request which cannot be.
     *
     * @param reason what is wrong with it, in a line
     */
    public void fail(String reason) {
        ring = null;
        events.broken(index, reason);
    }

    private void fail(BrokenRingException e) {
        fail("queue " + index + " has " + e.getMessage());
    }

    private @Nullable DeviceRing reachable() {
        DeviceRing current = ring;
        if (current == null || current.isReachable()) {
            return current;
        }
        fail("queue " + index + " is where no memory is shared");
        return null;
    }
}
