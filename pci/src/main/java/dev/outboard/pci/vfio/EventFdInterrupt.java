package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.linux.Errno;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.uapi.Vfio;
import java.io.IOException;
import java.time.Duration;

/** An interrupt vector whose events arrive as an eventfd. */
final class EventFdInterrupt implements Interrupt {
    private final VfioDevice device;
    private final int irqIndex;
    private final boolean masksItself;
    private final EventFd events = EventFd.create();
    private volatile boolean closed;

    EventFdInterrupt(VfioDevice device, int irqIndex, boolean masksItself) throws LinuxException {
        this.device = device;
        this.irqIndex = irqIndex;
        this.masksItself = masksItself;
    }

    /** {@inheritDoc} Throws {@link DeviceGoneException} if the device is gone. */
    @Override
    public long poll() throws IOException {
        long count = events.read();
        checkUsable();
        return count;
    }

    /** {@inheritDoc} Throws {@link DeviceGoneException}, at once, if the device is gone or goes during the wait. */
    @Override
    public long await(Duration timeout) throws IOException {
        long count = events.await(timeout);
        checkUsable();
        return count;
    }

    private void checkUsable() throws IOException {
        if (closed) {
            throw new LinuxException("use of", events.fd().name(), Errno.EBADF, "the interrupt was closed");
        }
        device.checkPresent();
    }

    @Override
    public Fd fd() {
        return events.fd();
    }

    @Override
    public void rearm() throws IOException {
        if (masksItself) {
            device.setIrqs(Vfio.VFIO_IRQ_SET_ACTION_UNMASK, irqIndex, 0, 1);
        }
    }

    /** Wakes whoever waits, who then finds out that the device is gone. */
    // Synchronized with close: under the same number there may be another descriptor by then.
    synchronized void wake() {
        if (events.fd().isOpen()) {
            try {
                events.signal();
            } catch (LinuxException e) {
                throw new AssertionError("an eventfd can be signalled while it is open", e);
            }
        }
    }

    /** {@inheritDoc} Who waits for it is woken, and finds it closed. */
    @Override
    public synchronized void close() {
        closed = true;
        wake();
        events.close();
    }
}
