package dev.outboard.pci.qemu;

import dev.outboard.driver.Interrupt;
import dev.outboard.linux.Errno;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/** An interrupt whose events arrive as an eventfd, which serves the next one after it is closed. */
final class QemuInterrupt implements Interrupt {
    private final QemuMachine machine;
    private final EventFd events;
    private final Runnable unmask;
    private final ReentrantLock looking = new ReentrantLock();
    private volatile boolean closed;

    QemuInterrupt(QemuMachine machine, int vector, Runnable unmask) {
        this.machine = machine;
        events = machine.vectors().event(vector);
        this.unmask = unmask;
    }

    @Override
    public long poll() throws IOException {
        return await(Duration.ZERO);
    }

    /**
     * {@inheritDoc} Throws {@link dev.outboard.driver.DeviceGoneException}, at once, if the device is gone or goes during
     * the wait.
     */
    @Override
    public long await(Duration timeout) throws IOException {
        looking.lock();
        try {
            checkUsable();
            long count = events.await(timeout);
            checkUsable();
            return count;
        } finally {
            looking.unlock();
        }
    }

    private void checkUsable() throws IOException {
        if (closed) {
            throw new LinuxException("use of", events.fd().name(), Errno.EBADF, "the interrupt was closed");
        }
        machine.qtest().checkPresent();
    }

    @Override
    public Fd fd() {
        return events.fd();
    }

    @Override
    public void rearm() {
        if (!closed) {
            unmask.run();
        }
    }

    /** {@inheritDoc} Who waits for it is woken, and finds it closed. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            events.signal();
            looking.lock();
            try {
                // What is left must not be taken for an event of the next one.
                events.read();
            } finally {
                looking.unlock();
            }
        } catch (LinuxException e) {
            throw new AssertionError("an eventfd can be signalled and read while it is open", e);
        }
    }
}
