package dev.outboard.virtio;

import java.util.List;

/**
 * A virtio device, apart from the transport that it is behind. VIRTIO 1.2, 2.
 *
 * <p>A device knows no locks: everything is called on one thread, that of the transport which serves it. It takes
 * requests from its queues in {@link #doWork}; whether a queue is in use it need not know, since one that is not has no
 * requests. Notifications and interrupts are the transport's.
 */
public interface VirtioDevice extends AutoCloseable {
    /**
     * What kind of device it is.
     *
     * @return one of {@link dev.outboard.specs.virtio.VirtioDeviceType}
     */
    int type();

    /**
     * The features that it offers of its own; the transport adds those of queues and of itself.
     *
     * @return a mask
     */
    long features();

    /**
     * How many queues it has.
     *
     * @return the number, from 1
     */
    int queueCount();

    /**
     * How many descriptors a queue can have.
     *
     * @param queue which queue, from 0
     * @return a power of two, at most {@link dev.outboard.specs.virtio.SplitRing#MAXIMUM_SIZE}
     */
    int maximumQueueSize(int queue);

    /**
     * The size of its configuration space.
     *
     * @return bytes
     */
    int configurationBytes();

    /**
     * Reads configuration space.
     *
     * @param offset where, in bytes
     * @param widthBytes 1, 2, 4 or 8; the end may be beyond the space
     * @return the value, zero-extended; zero where nothing is
     */
    long readConfiguration(long offset, int widthBytes);

    /**
     * Writes configuration space. What cannot be written ignores it.
     *
     * @param offset where, in bytes
     * @param widthBytes 1, 2, 4 or 8; the end may be beyond the space
     * @param value the value in the low bits
     */
    void writeConfiguration(long offset, int widthBytes, long value);

    /**
     * The driver is ready: requests may come from now on.
     *
     * @param features what device and driver agreed on, those of queues and transport too
     * @param queues all queues, of which some may never be in use, or from later on
     * @param configurationChanged to be run, on the same thread, when configuration space has changed
     */
    void start(long features, List<DeviceQueue> queues, Runnable configurationChanged);

    /** Back to the state before {@link #start}. Requests that were taken are forgotten; what media hold stays. */
    void reset();

    /**
     * Does what there is to do: takes requests and completes them. Called over and over; returns soon.
     *
     * @return how much was done; 0 if there was nothing to do
     */
    int doWork();

    /**
     * Whether {@link #doWork} may find something to do although no queue was notified: because something else than the
     * driver brings work, or because time passes.
     *
     * @return false if the queues bring all work
     */
    default boolean polls() {
        return false;
    }

    /** Gives back what the device has. It is not used afterwards. */
    @Override
    void close();
}
