package dev.outboard.virtio.vhost;

import dev.outboard.driver.IdleStrategy;
import dev.outboard.linux.Epoll;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixServerSocket;
import dev.outboard.linux.UnixSocket;
import dev.outboard.virtio.VirtioDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Serves a virtio device to vhost-user front ends, one after another: QEMU, User Mode Linux, DPDK's virtio-user. When a
 * front end is gone, however it went, the device is reset and the next one is accepted. What a front end says or shares is
 * checked; one that lies is disconnected.
 *
 * <p>One thread does it all, an agent whose {@link #doWork} has the device work and looks at the sockets every so often.
 * While there is work, drivers need not notify. After 2 ms without any it sleeps in {@code epoll} until a driver does; a
 * device that {@linkplain VirtioDevice#polls polls}, or a queue without a descriptor for notifications, has it look every
 * millisecond, after a second every 4.
 *
 * <p>A queue that is started but disabled is left alone. {@link #close} may be called from any thread and ends
 * {@link #run}. The device stays the caller's.
 */
public final class VhostUserBackend implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(VhostUserBackend.class.getName());

    /** A look at the sockets is a system call of about 300 ns; this many polls make it cheap. */
    private static final int POLLS_BETWEEN_LOOKS = 2048;

    private static final int FOREVER = -1;

    private static final int LISTENER = 0;
    private static final int FRONT_END = 1;
    private static final int WAKE = 2;
    /** Queue 0's kicks; the other queues' follow. */
    private static final int FIRST_KICK = 3;

    private final VirtioDevice device;
    private final VhostUserOptions options;
    private final @Nullable UnixServerSocket listener;
    private final Path path;
    private final Epoll epoll;
    private final IdleStrategy idle = new IdleStrategy(this::sleep);
    private final EventFd wake;
    // Held by whoever runs the agent, so that close() waits for it.
    private final ReentrantLock running = new ReentrantLock();
    private volatile boolean stopping;
    private volatile @Nullable FrontEndSession session;
    private boolean notifying = true;
    private int pollsUntilLook;
    private long frontEndsServed;

    private VhostUserBackend(
            VirtioDevice device, VhostUserOptions options, @Nullable UnixServerSocket listener, Path path)
            throws LinuxException {
        this.device = device;
        this.options = options;
        this.listener = listener;
        this.path = path;
        epoll = Epoll.create();
        try {
            wake = EventFd.create();
        } catch (LinuxException e) {
            epoll.close();
            throw e;
        }
    }

    /**
     * Listens. Front ends can connect from now on, and are served once {@link #run} is called.
     *
     * @param path the socket's path, at most 107 bytes
     * @param device what to serve
     * @param options what to offer front ends
     * @return the back end
     * @throws IOException if the socket cannot be made, EADDRINUSE if somebody listens there
     */
    public static VhostUserBackend listen(Path path, VirtioDevice device, VhostUserOptions options) throws IOException {
        UnixServerSocket listener = UnixServerSocket.listen(path);
        try {
            VhostUserBackend backend = new VhostUserBackend(device, options, listener, path);
            try {
                backend.epoll.add(listener.fd(), Epoll.EPOLLIN, LISTENER);
                backend.epoll.add(backend.wake.fd(), Epoll.EPOLLIN, WAKE);
                return backend;
            } catch (LinuxException e) {
                backend.close();
                throw e;
            }
        } catch (LinuxException e) {
            listener.close();
            throw e;
        }
    }

    /**
     * Listens as {@link #listen(Path, VirtioDevice, VhostUserOptions)}, and offers the default.
     *
     * @param path the socket's path, at most 107 bytes
     * @param device what to serve
     * @return the back end
     * @throws IOException if the socket cannot be made
     */
    public static VhostUserBackend listen(Path path, VirtioDevice device) throws IOException {
        return listen(path, device, VhostUserOptions.DEFAULT);
    }

    /**
     * Connects to a front end that listens, which is served once {@link #run} is called. There is no other: when it is
     * gone, {@link #run} returns.
     *
     * @param path the socket's path, at most 107 bytes
     * @param device what to serve
     * @return the back end
     * @throws IOException if nobody listens there
     */
    public static VhostUserBackend connect(Path path, VirtioDevice device) throws IOException {
        UnixSocket socket = UnixSocket.connect(path.toString());
        try {
            VhostUserBackend backend = new VhostUserBackend(device, VhostUserOptions.DEFAULT, null, path);
            try {
                backend.epoll.add(backend.wake.fd(), Epoll.EPOLLIN, WAKE);
                backend.begin(socket);
                return backend;
            } catch (LinuxException e) {
                backend.close();
                throw e;
            }
        } catch (LinuxException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Serves a device on a daemon thread of its own, until {@link #close}.
     *
     * @param device what to serve
     * @param path where to listen, at most 107 bytes
     * @return the back end, running
     * @throws IOException if the socket cannot be made
     */
    public static VhostUserBackend start(VirtioDevice device, Path path) throws IOException {
        VhostUserBackend backend = listen(path, device);
        backend.start();
        return backend;
    }

    /** Calls {@link #run} on a daemon thread of its own. */
    public void start() {
        Thread.ofPlatform().daemon().name("outboard-vhost-user").start(() -> {
            try {
                run();
            } catch (IOException e) {
                LOG.log(System.Logger.Level.ERROR, "the vhost-user back end at " + path + " ended", e);
            }
        });
    }

    /**
     * Where the two sides meet.
     *
     * @return the socket's path
     */
    public Path path() {
        return path;
    }

    /**
     * Serves front ends on the calling thread, until {@link #close}; one that was {@linkplain #connect connected} to,
     * until it is gone.
     *
     * @throws IOException if the sockets fail
     */
    public void run() throws IOException {
        run(listener == null ? 1 : Long.MAX_VALUE);
    }

    /**
     * Serves one front end on the calling thread; returns when it is gone, or at {@link #close}.
     *
     * @throws IOException if the sockets fail
     */
    public void runOnce() throws IOException {
        run(frontEndsServed + 1);
    }

    private void run(long untilServed) throws IOException {
        running.lock();
        try {
            while (!stopping && frontEndsServed < untilServed) {
                if (doWork() > 0) {
                    idle.worked();
                } else if (session != null) {
                    idle.idle();
                } else {
                    look(FOREVER);
                }
            }
            if (stopping) {
                dropFrontEnd();
            }
        } finally {
            running.unlock();
        }
    }

    /**
     * Does what there is to do, without waiting: one duty cycle of the agent. For those who bring a thread and an idle
     * strategy of their own instead of calling {@link #run}.
     *
     * @return how much was done; 0 if there was nothing to do
     * @throws IOException if the sockets fail
     */
    public int doWork() throws IOException {
        int work = 0;
        FrontEndSession current = session;
        if (current != null) {
            try {
                work = current.device().doWork();
                if (work > 0 && notifying) {
                    notifying = false;
                    current.device().setNotifying(false);
                }
            } catch (InternalError | RuntimeException e) {
                dropFrontEnd(e);
            }
        }
        if (--pollsUntilLook <= 0) {
            work += look(0);
        }
        return work;
    }

    private int sleep(int timeoutMillis) throws IOException {
        FrontEndSession current = session;
        if (current == null) {
            return 0;
        }
        boolean pending;
        try {
            notifying = true;
            pending = current.device().setNotifying(true);
        } catch (InternalError | RuntimeException e) {
            dropFrontEnd(e);
            return 1;
        }
        return look(pending ? 0 : current.device().polls() ? timeoutMillis : FOREVER);
    }

    private int look(int timeoutMillis) throws IOException {
        int events = epoll.await(timeoutMillis);
        for (int i = 0; i < events; i++) {
            switch ((int) epoll.data(i)) {
                case LISTENER -> accept();
                case FRONT_END -> serve();
                case WAKE -> wake.read();
                default -> {
                    // A kick: the device looks for work anyway.
                }
            }
        }
        // Where one message came, the next one is near.
        pollsUntilLook = events > 0 ? 1 : POLLS_BETWEEN_LOOKS;
        return events;
    }

    private void accept() throws LinuxException {
        if (listener != null) {
            UnixSocket socket = listener.accept();
            // One front end at a time: the others wait in the listener's backlog.
            epoll.remove(listener.fd());
            begin(socket);
        }
    }

    private void begin(UnixSocket socket) throws LinuxException {
        epoll.add(socket.fd(), Epoll.EPOLLIN, FRONT_END);
        notifying = true;
        session = new FrontEndSession(device, options, socket, epoll, FIRST_KICK);
    }

    private void serve() throws IOException {
        FrontEndSession current = session;
        try {
            if (current != null && !current.receive()) {
                dropFrontEnd();
            }
        } catch (InternalError | RuntimeException e) {
            dropFrontEnd(e);
        }
    }

    // InternalError is how the JVM reports SIGBUS: the front end truncated the file behind memory that it had shared.
    private void dropFrontEnd(Throwable reason) throws IOException {
        LOG.log(System.Logger.Level.WARNING, "the front end at " + path + " is disconnected", reason);
        dropFrontEnd();
    }

    private void dropFrontEnd() throws IOException {
        FrontEndSession current = session;
        if (current != null) {
            session = null;
            frontEndsServed++;
            epoll.remove(current.socket().fd());
            current.close();
            if (listener != null) {
                epoll.add(listener.fd(), Epoll.EPOLLIN, LISTENER);
            }
        }
    }

    /** Disconnects the front end, ends {@link #run} and removes the socket. */
    @Override
    public void close() {
        stopping = true;
        try {
            wake.signal();
        } catch (LinuxException closed) {
            // Closed before.
        }
        FrontEndSession current = session;
        if (current != null) {
            // Wakes the agent from a reply that the front end does not read.
            current.socket().shutdown();
        }
        running.lock();
        try {
            dropFrontEnd();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "the front end at " + path + " could not be disconnected", e);
        } finally {
            running.unlock();
        }
        if (listener != null) {
            listener.close();
        }
        epoll.close();
        wake.close();
    }
}
