package dev.outboard.emulation;

import dev.outboard.driver.IdleStrategy;
import dev.outboard.linux.Epoll;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixServerSocket;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Serves a model to vfio-user clients, one after another. When a client is gone, however it went, the model is reset and
 * the next one is accepted.
 *
 * <p>One thread does it all, an agent whose {@link #doWork} polls the model and looks at the sockets every so often.
 * After 2 ms without work it sleeps in {@code epoll}: for 1 ms at a time (after a second: 4 ms) while the model
 * {@linkplain PciModel#polls polls} memory that the client writes without telling, else until a message comes.
 *
 * <p>{@link #close} may be called from any thread and ends {@link #run}. The model stays the caller's.
 */
public final class VfioUserServer implements AutoCloseable {
    /** A look at the sockets is a system call of about 300 ns; this many polls make it cheap. */
    private static final int POLLS_BETWEEN_LOOKS = 2048;

    private static final int FOREVER = -1;

    private static final int LISTENER = 0;
    private static final int CLIENT = 1;
    private static final int WAKE = 2;
    private static final int MODEL = 3;

    private final PciModel model;
    private final UnixServerSocket listener;
    private final Epoll epoll;
    private final IdleStrategy idle = new IdleStrategy(this::look);
    private final EventFd wake;
    // Held by whoever runs the agent, so that close() waits for it.
    private final ReentrantLock running = new ReentrantLock();
    private volatile boolean stopping;
    private volatile @Nullable Session session;
    private int pollsUntilLook;
    private long clientsServed;

    private VfioUserServer(PciModel model, UnixServerSocket listener, Epoll epoll, EventFd wake) {
        this.model = model;
        this.listener = listener;
        this.epoll = epoll;
        this.wake = wake;
    }

    /**
     * Listens. Clients can connect from now on, and are served once {@link #run} is called.
     *
     * @param path the socket's path, at most 107 bytes
     * @param model what to serve
     * @return the server
     * @throws IOException if the socket cannot be made, EADDRINUSE if somebody listens there
     */
    public static VfioUserServer listen(Path path, PciModel model) throws IOException {
        UnixServerSocket listener = UnixServerSocket.listen(path);
        Epoll epoll = null;
        EventFd wake = null;
        try {
            epoll = Epoll.create();
            wake = EventFd.create();
            epoll.add(listener.fd(), Epoll.EPOLLIN, LISTENER);
            epoll.add(wake.fd(), Epoll.EPOLLIN, WAKE);
            Fd work = model.workDescriptor();
            if (work != null) {
                epoll.add(work, Epoll.EPOLLIN, MODEL);
            }
            return new VfioUserServer(model, listener, epoll, wake);
        } catch (LinuxException e) {
            if (wake != null) {
                wake.close();
            }
            if (epoll != null) {
                epoll.close();
            }
            listener.close();
            throw e;
        }
    }

    /**
     * Serves a model on a daemon thread of its own, until {@link #close}.
     *
     * @param model what to serve
     * @param path the socket's path, at most 107 bytes
     * @return the server, running
     * @throws IOException if the socket cannot be made
     */
    public static VfioUserServer start(PciModel model, Path path) throws IOException {
        VfioUserServer server = listen(path, model);
        Thread.ofPlatform().daemon().name("outboard-model").start(() -> {
            try {
                server.run();
            } catch (IOException e) {
                log().log(System.Logger.Level.ERROR, "the vfio-user server at " + path + " ended", e);
            }
        });
        return server;
    }

    /**
     * Where clients connect.
     *
     * @return the socket's path
     */
    public Path path() {
        return listener.path();
    }

    /**
     * Serves clients on the calling thread, until {@link #close}.
     *
     * @throws IOException if the sockets fail
     */
    public void run() throws IOException {
        run(Long.MAX_VALUE);
    }

    /**
     * Serves one client on the calling thread; returns when it is gone, or at {@link #close}.
     *
     * @throws IOException if the sockets fail
     */
    public void runOnce() throws IOException {
        run(clientsServed + 1);
    }

    private void run(long untilServed) throws IOException {
        running.lock();
        try {
            while (!stopping && clientsServed < untilServed) {
                if (doWork() > 0) {
                    idle.worked();
                } else if (model.wantsSteps()) {
                    idle.idle();
                } else {
                    look(FOREVER);
                }
            }
            if (stopping) {
                dropClient();
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
        try {
            work = model.step();
        } catch (InternalError | RuntimeException e) {
            dropClient(e);
        }
        Session current = session;
        if (current != null && current.isBehind()) {
            serve();
            work++;
        }
        if (--pollsUntilLook <= 0) {
            work += look(0);
        }
        return work;
    }

    /** For who waits for several servers: what this one waits for. */
    void addTo(Epoll all, int index) throws LinuxException {
        all.add(epoll, index);
    }

    /** Takes what came on the sockets, without waiting; returns how much. */
    int look() throws IOException {
        return look(0);
    }

    /** Whether {@link #doWork} may find something although no message came. */
    boolean polls() {
        return model.wantsSteps();
    }

    private int look(int timeoutMillis) throws IOException {
        int events = epoll.await(timeoutMillis);
        int work = 0;
        for (int i = 0; i < events; i++) {
            switch ((int) epoll.data(i)) {
                case LISTENER -> accept();
                case CLIENT -> serve();
                case MODEL -> {
                    // It does its work in the next cycle.
                }
                default -> wake.read();
            }
            work++;
        }
        // Where one message came, the next one is near.
        pollsUntilLook = work > 0 ? 1 : POLLS_BETWEEN_LOOKS;
        return work;
    }

    private void accept() throws LinuxException {
        var socket = listener.accept();
        // One client at a time: the others wait in the listener's backlog.
        epoll.remove(listener.fd());
        epoll.add(socket.fd(), Epoll.EPOLLIN, CLIENT);
        session = new Session(model, socket);
    }

    private void serve() throws IOException {
        Session current = session;
        if (current == null) {
            return;
        }
        try {
            boolean open;
            do {
                open = current.receive();
            } while (open && current.isBehind());
            if (!open) {
                dropClient();
            }
        } catch (InternalError | RuntimeException e) {
            dropClient(e);
        }
    }

    // InternalError is how the JVM reports SIGBUS: the client truncated the file behind memory that it had mapped for
    // us.
    private void dropClient(Throwable reason) throws IOException {
        log().log(System.Logger.Level.WARNING, "the client at " + path() + " is disconnected", reason);
        dropClient();
    }

    private void dropClient() throws IOException {
        Session current = session;
        if (current != null) {
            session = null;
            clientsServed++;
            epoll.remove(current.socket().fd());
            try {
                current.close();
            } catch (InternalError | RuntimeException e) {
                // A model whose file is gone from under it cannot be reset; its next client may find it mended.
                log().log(System.Logger.Level.WARNING, "the model at " + path() + " could not be reset", e);
            }
            epoll.add(listener.fd(), Epoll.EPOLLIN, LISTENER);
        }
    }

    /** Has who serves look up from what it waits for, and makes {@link #run} end. */
    void stop() {
        stopping = true;
        try {
            wake.signal();
        } catch (LinuxException closed) {
            // Closed before.
        }
        Session current = session;
        if (current != null) {
            // Wakes the agent from a reply that the client does not read.
            current.socket().shutdown();
        }
    }

    /** Disconnects the client, ends {@link #run} and removes the socket. */
    @Override
    public void close() {
        stop();
        running.lock();
        try {
            Session left = session;
            if (left != null) {
                session = null;
                left.close();
            }
            listener.close();
            epoll.close();
            wake.close();
        } finally {
            running.unlock();
        }
    }

    /** Made when there is something to say: loggers take a tenth of what the process of a model takes to start. */
    private static System.Logger log() {
        return System.getLogger(VfioUserServer.class.getName());
    }
}
