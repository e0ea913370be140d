package dev.outboard.emulation;

import dev.outboard.driver.IdleStrategy;
import dev.outboard.linux.Epoll;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Serves several models on one thread. While any of them has work, all are polled in turn; then the thread spins for a
 * moment and sleeps, as that of one {@link VfioUserServer} does: until a message comes for one of them, or for some
 * milliseconds while one {@linkplain PciModel#polls polls}. So devices that nobody uses cost the others a look now and then,
 * and a process of idle devices takes no processor.
 *
 * <p>{@link #close} may be called from any thread, ends {@link #run} and closes the servers. The models stay the caller's.
 */
public final class VfioUserAgent implements AutoCloseable {
    private static final int FOREVER = -1;

    private final VfioUserServer[] servers;
    private final Epoll epoll;
    private final IdleStrategy idle = new IdleStrategy(this::await);
    // Held by whoever runs the agent, so that close() waits for it.
    private final ReentrantLock running = new ReentrantLock();
    private volatile boolean stopping;
    private boolean closed;

    private VfioUserAgent(VfioUserServer[] servers, Epoll epoll) {
        this.servers = servers;
        this.epoll = epoll;
    }

    /**
     * Takes servers over. They serve once {@link #run} is called, and not by themselves.
     *
     * @param servers which listen, at least one; the agent closes them
     * @return the agent
     * @throws IOException if there is no descriptor left; the servers are closed then
     */
    public static VfioUserAgent of(List<VfioUserServer> servers) throws IOException {
        Epoll epoll = null;
        try {
            epoll = Epoll.create();
            for (int i = 0; i < servers.size(); i++) {
                servers.get(i).addTo(epoll, i);
            }
            return new VfioUserAgent(servers.toArray(VfioUserServer[]::new), epoll);
        } catch (LinuxException e) {
            if (epoll != null) {
                epoll.close();
            }
            servers.forEach(VfioUserServer::close);
            throw e;
        }
    }

    /**
     * Serves on the calling thread, until {@link #close}.
     *
     * @throws IOException if the sockets fail
     */
    public void run() throws IOException {
        running.lock();
        try {
            while (!stopping) {
                if (doWork() > 0) {
                    idle.worked();
                } else if (anyPolls()) {
                    idle.idle();
                } else {
                    await(FOREVER);
                }
            }
        } finally {
            running.unlock();
        }
    }

    /**
     * Does what there is to do for each of the servers, without waiting: one duty cycle.
     *
     * @return how much was done; 0 if there was nothing to do
     * @throws IOException if the sockets fail
     */
    public int doWork() throws IOException {
        int work = 0;
        for (VfioUserServer server : servers) {
            work += server.doWork();
        }
        return work;
    }

    private boolean anyPolls() {
        for (VfioUserServer server : servers) {
            if (server.polls()) {
                return true;
            }
        }
        return false;
    }

    private int await(int timeoutMillis) throws IOException {
        int events = epoll.await(timeoutMillis);
        int work = 0;
        for (int i = 0; i < events; i++) {
            work += servers[(int) epoll.data(i)].look();
        }
        return work;
    }

    /** Disconnects the clients, ends {@link #run} and removes the sockets. */
    @Override
    public void close() {
        stopping = true;
        if (!running.isHeldByCurrentThread()) {
            for (VfioUserServer server : servers) {
                server.stop();
            }
        }
        running.lock();
        try {
            if (!closed) {
                closed = true;
                epoll.close();
                for (VfioUserServer server : servers) {
                    server.close();
                }
            }
        } finally {
            running.unlock();
        }
    }
}
