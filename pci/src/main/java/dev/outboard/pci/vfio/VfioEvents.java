package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.Epoll;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.uapi.Vfio;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel, or a vfio-user server, tells about a device: that it wants it back, or that the device failed. Who wants it
 * back waits for whoever has it to let go of it, so this is listened to always, on a thread of its own.
 */
final class VfioEvents implements AutoCloseable {
    private static final long STOP = 0;
    private static final long REQUEST = 1;
    private static final long ERROR = 2;
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);

    private final String name;
    private final String owner;
    private final GoneState state = new GoneState();
    private final Epoll epoll;
    private final EventFd stop;
    private final EventFd request;
    private final EventFd error;
    private final Thread thread;

    /**
     * Listens to a device that is open.
     *
     * @param owner who can want it back, for messages
     */
    VfioEvents(String name, VfioDevice device, String owner) throws IOException {
        this.name = name;
        this.owner = owner;
        epoll = Epoll.create();
        stop = EventFd.create();
        request = EventFd.create();
        error = EventFd.create();
        thread = Thread.ofPlatform().daemon().name(name).unstarted(this::listen);
        try {
            epoll.add(stop.fd(), Epoll.EPOLLIN, STOP);
            listenTo(device, Vfio.VFIO_PCI_REQ_IRQ_INDEX, request, REQUEST);
            listenTo(device, Vfio.VFIO_PCI_ERR_IRQ_INDEX, error, ERROR);
        } catch (IOException | RuntimeException e) {
            closeDescriptors();
            throw e;
        }
        thread.start();
    }

    private void listenTo(VfioDevice device, int irqIndex, EventFd events, long data) throws IOException {
        epoll.add(events.fd(), Epoll.EPOLLIN, data);
        if (device.irqInfo(irqIndex).count() > 0) {
            device.setIrqEventFds(irqIndex, List.of(events.fd()));
        }
    }

    private void listen() {
        try {
            while (true) {
                int ready = epoll.await(-1);
                for (int i = 0; i < ready; i++) {
                    long data = epoll.data(i);
                    if (data == STOP) {
                        return;
                    }
                    // Level-triggered: read, or it is reported for ever. The kernel repeats a request every few
                    // seconds.
                    (data == REQUEST ? request : error).read();
                    gone(
                            data == REQUEST
                                    ? name + ": " + owner + " wants the device back, to remove or unbind it; close it"
                                    : name + ": the device reported an error that it does not recover from; close it",
                            null);
                }
            }
        } catch (LinuxException e) {
            gone(name + ": its events cannot be listened to any more", e);
        }
    }

    /** Marks the device as gone. */
    void gone(String message, @Nullable Throwable cause) {
        state.fail(new DeviceException(message, cause));
    }

    boolean isGone() {
        return state.failure() != null;
    }

    void checkPresent() throws DeviceGoneException {
        Throwable failure = state.failure();
        if (failure != null) {
            throw new DeviceGoneException(String.valueOf(failure.getMessage()), failure.getCause());
        }
    }

    void whenGone(Runnable action) {
        state.whenFailed(action);
    }

    @Override
    public void close() {
        state.forgetActions();
        gone(name + " was closed", null);
        try {
            stop.signal();
        } catch (LinuxException e) {
            throw new AssertionError("an eventfd can be signalled while it is open", e);
        }
        boolean interrupted = false;
        try {
            thread.join(CLOSE_TIMEOUT);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        closeDescriptors();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void closeDescriptors() {
        epoll.close();
        stop.close();
        request.close();
        error.close();
    }
}
