package dev.outboard.virtio.vhost;

/**
 * What a back end offers to front ends.
 *
 * @param withheldFeatures features of the device and its queues that it does not offer, although it could
 * @param inBandNotifications whether notifications may be messages. Front ends that can do that use it, and are the slower
 *     for it: simulations, where nothing may happen between a notification and its effect, such as User Mode Linux with a
 *     virtual clock
 */
public record VhostUserOptions(long withheldFeatures, boolean inBandNotifications) {
    /** All features, and notifications by descriptors. */
    public static final VhostUserOptions DEFAULT = new VhostUserOptions(0, false);
}
