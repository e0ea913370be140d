package dev.outboard.virtio.vhost;

import dev.outboard.linux.EventFd;
import dev.outboard.linux.LinuxException;
import dev.outboard.virtio.DriverQueue;
import java.io.IOException;
import java.time.Duration;

/** A queue of a device over vhost-user with what belongs to it: how to notify the device, and its interrupt. */
public final class FrontEndQueue {
    private final int index;
    private final DriverQueue ring;
    private final VhostUserConnection connection;
    private final EventFd kick;
    private final EventFd call;

    FrontEndQueue(int index, DriverQueue ring, VhostUserConnection connection) throws LinuxException {
        this.index = index;
        this.ring = ring;
        this.connection = connection;
        kick = EventFd.create();
        call = EventFd.create();
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
     * The queue itself.
     *
     * @return the driver's side
     */
    public DriverQueue ring() {
        return ring;
    }

    EventFd kick() {
        return kick;
    }

    EventFd call() {
        return call;
    }

    /**
     * Shows the device what was added, and notifies it if it wants that.
     *
     * @throws IOException if the notification fails
     */
    public void publish() throws IOException {
        if (ring.publish()) {
            kick.signal();
        }
    }

    /**
     * Sleeps until the device has used a request, or says so.
     *
     * @param timeout how long at most
     * @throws IOException if the back end is gone, or the queue is broken
     */
    public void await(Duration timeout) throws IOException {
        ring.setInterrupting(true);
        if (!ring.isPending() && call.await(timeout) == 0) {
            connection.checkPresent();
        }
    }

    void close() {
        ring.close();
        kick.close();
        call.close();
    }
}
