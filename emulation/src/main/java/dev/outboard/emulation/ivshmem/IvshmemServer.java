package dev.outboard.emulation.ivshmem;

import dev.outboard.linux.Epoll;
import dev.outboard.linux.Errno;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixServerSocket;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.ivshmem.IvshmemProtocol;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * Introduces ivshmem devices to each other, models and QEMU's alike: gives each an id and the memory, and passes on what
 * each is rung by. Works on a daemon thread of its own until {@link #close}; devices that know each other go on without.
 */
public final class IvshmemServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(IvshmemServer.class.getName());
    private static final ValueLayout.OfLong NUMBER = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LISTENER = -1;
    private static final long WAKE = -2;
    private static final int FOREVER = -1;

    private final UnixServerSocket listener;
    private final Fd memory;
    private final int vectors;
    private final Epoll epoll;
    private final EventFd wake;
    private final Map<Long, Client> clients = new ConcurrentSkipListMap<>();
    private final Thread thread;
    private volatile boolean stopping;

    private record Client(UnixSocket socket, List<EventFd> bells) implements AutoCloseable {
        @Override
        public void close() {
            socket.close();
            bells.forEach(EventFd::close);
        }
    }

    private IvshmemServer(UnixServerSocket listener, Fd memory, int vectors) throws LinuxException {
        this.listener = listener;
        this.memory = memory;
        this.vectors = vectors;
        epoll = Epoll.create();
        wake = EventFd.create();
        epoll.add(listener.fd(), Epoll.EPOLLIN, LISTENER);
        epoll.add(wake.fd(), Epoll.EPOLLIN, WAKE);
        thread = Thread.ofPlatform().daemon().name("outboard-ivshmem").unstarted(this::serve);
    }

    /**
     * Starts a server, whose memory is new and zero.
     *
     * @param socket where devices connect, at most 107 bytes
     * @param sizeBytes the memory's size, a power of two from 4096
     * @param vectors how many vectors each device is given
     * @return the server
     * @throws IOException if the socket cannot be made, EADDRINUSE if somebody listens there
     */
    public static IvshmemServer start(Path socket, long sizeBytes, int vectors) throws IOException {
        IvshmemOptions.checkSize("the memory's size", sizeBytes);
        UnixServerSocket listener = UnixServerSocket.listen(socket);
        Fd memory = null;
        try {
            memory = Fd.memfd("outboard-ivshmem", sizeBytes);
            IvshmemServer server = new IvshmemServer(listener, memory, vectors);
            server.thread.start();
            return server;
        } catch (LinuxException e) {
            listener.close();
            if (memory != null) {
                memory.close();
            }
            throw e;
        }
    }

    /** The first of several models that are told the same socket is the server of all. Null if that is another one. */
    static @Nullable IvshmemServer startUnlessThere(IvshmemOptions options) throws IOException {
        Path socket = options.peers();
        if (socket == null || Files.exists(socket)) {
            return null;
        }
        try {
            return start(socket, options.sizeBytes(), options.vectors());
        } catch (LinuxException e) {
            if (e.errno() != Errno.EADDRINUSE) {
                throw e;
            }
            // Another one was faster.
            return null;
        }
    }

    private void serve() {
        try {
            while (!stopping) {
                int events = epoll.await(FOREVER);
                List<Long> gone = new ArrayList<>();
                for (int i = 0; i < events && !stopping; i++) {
                    long source = epoll.data(i);
                    if (source == LISTENER) {
                        introduce(listener.accept());
                    } else if (source >= 0) {
                        // Devices say nothing: what there is to read is the end.
                        gone.add(source);
                    }
                }
                for (long id : gone) {
                    farewell(id);
                }
            }
        } catch (LinuxException e) {
            LOG.log(System.Logger.Level.ERROR, "the ivshmem server at " + listener.path() + " ended", e);
        } finally {
            clients.values().forEach(Client::close);
            listener.close();
            memory.close();
            epoll.close();
            wake.close();
        }
    }

    private void introduce(UnixSocket socket) throws LinuxException {
        long id = 0;
        while (clients.containsKey(id)) {
            id++;
        }
        if (id > IvshmemProtocol.HIGHEST_ID) {
            socket.close();
            return;
        }
        Client client = new Client(socket, new ArrayList<>());
        clients.put(id, client);
        try {
            for (int i = 0; i < vectors; i++) {
                client.bells.add(EventFd.create());
            }
            tell(client, IvshmemProtocol.VERSION, List.of());
            tell(client, id, List.of());
            tell(client, IvshmemProtocol.SHARED_MEMORY, List.of(memory));
            for (Map.Entry<Long, Client> other : clients.entrySet()) {
                if (other.getKey() != id) {
                    tellBells(client, other.getKey(), other.getValue());
                    tellBells(other.getValue(), id, client);
                }
            }
            // Its own come last, so that a device that hears of them knows all peers.
            tellBells(client, id, client);
        } finally {
            epoll.add(socket.fd(), Epoll.EPOLLIN, id);
        }
    }

    private void farewell(long id) throws LinuxException {
        Client gone = clients.remove(id);
        if (gone != null) {
            epoll.remove(gone.socket.fd());
            gone.close();
            for (Client other : clients.values()) {
                tell(other, id, List.of());
            }
        }
    }

    private static void tellBells(Client client, long id, Client rung) {
        for (EventFd bell : rung.bells) {
            tell(client, id, List.of(bell.fd()));
        }
    }

    private static void tell(Client client, long number, List<Fd> descriptors) {
        try (Arena arena = Arena.ofConfined()) {
            client.socket.send(arena.allocateFrom(NUMBER, number), descriptors);
        } catch (LinuxException gone) {
            // Its socket will say so, and then it is taken leave of.
        }
    }

    /**
     * Where devices connect.
     *
     * @return the socket's path
     */
    public Path path() {
        return listener.path();
    }

    /** Ends the server and removes its socket. */
    @Override
    public void close() {
        stopping = true;
        // Wakes the thread also from a client that does not read.
        clients.values().forEach(client -> client.socket.shutdown());
        try {
            wake.signal();
        } catch (LinuxException closed) {
            // Closed before.
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
