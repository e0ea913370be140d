package dev.outboard.virtio;

/** What a transport is told by the queues of a device, on the thread that serves the device. */
public interface QueueEvents {
    /**
     * The driver wants to know that buffers were used: interrupt it.
     *
     * @param queue which queue
     */
    void used(int queue);

    /**
     * What the driver put into a queue cannot be. The queue is not used any more; the device needs a reset.
     *
     * @param queue which queue
     * @param reason what it was, in a line
     */
    void broken(int queue, String reason);
}
