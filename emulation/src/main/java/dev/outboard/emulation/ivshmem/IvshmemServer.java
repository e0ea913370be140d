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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.TreeMap;
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
    /** Version, id, memory. */
    private static final int MESSAGES_BEFORE_BELLS = 3;
    /** So long devices wait that came when there was no descriptor left. */
    private static final int ACCEPT_AGAIN_MILLIS = 100;

    private final UnixServerSocket listener;
    private final Fd memory;
    private final int vectors;
    private final Epoll epoll;
    private final EventFd wake;
    private final Map<Long, Client> clients = new TreeMap<>();
    private final Thread thread;
    private boolean full;
    private volatile boolean stopping;

    private record Message(long number, List<Fd> descriptors) {}

    private record Client(UnixSocket socket, List<EventFd> bells, Queue<Message> unsent) implements AutoCloseable {
        Client(UnixSocket socket) {
            this(socket, new ArrayList<>(), new ArrayDeque<>());
        }

        void tell(long number, List<Fd> descriptors) {
            unsent.add(new Message(number, descriptors));
            flush();
        }

        void tellBells(long id, Client rung) {
            rung.bells.forEach(bell -> tell(id, List.of(bell.fd())));
        }

        /** Sends what there is room for: a client that does not read keeps nobody else waiting. */
        void flush() {
            try (Arena arena = Arena.ofConfined()) {
                for (Message next = unsent.peek(); next != null; next = unsent.peek()) {
                    // The bells of one that has left meanwhile are closed.
                    boolean stale = !next.descriptors.stream().allMatch(Fd::isOpen);
                    if (!stale && !socket.sendNow(arena.allocateFrom(NUMBER, next.number), next.descriptors)) {
                        return;
                    }
                    unsent.remove();
                }
            } catch (LinuxException gone) {
                drop();
            }
        }

        /** Has its socket say that it is gone, whereupon it is taken leave of. */
        void drop() {
            unsent.clear();
            socket.shutdown();
        }

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
     * @throws IOException if the socket cannot be made, EADDRINUSE if somebody listens there, or the path is no socket
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

    /** Starts one where nobody listened. Null if another one was faster. */
    static @Nullable IvshmemServer startUnlessThere(Path socket, IvshmemOptions options) throws IOException {
        try {
            return start(socket, options.sizeBytes(), options.vectors());
        } catch (LinuxException e) {
            if (e.errno() != Errno.EADDRINUSE || Files.isRegularFile(socket) || Files.isDirectory(socket)) {
                throw e;
            }
            return null;
        }
    }

    private void serve() {
        try {
            while (!stopping) {
                int events = epoll.await(full ? ACCEPT_AGAIN_MILLIS : FOREVER);
                List<Long> gone = new ArrayList<>();
                for (int i = 0; i < events && !stopping; i++) {
                    long source = epoll.data(i);
                    if (source == LISTENER) {
                        accept();
                    } else if (source >= 0 && epoll.mask(i) != Epoll.EPOLLOUT) {
                        // Devices say nothing: what there is to read is the end.
                        gone.add(source);
                    } else if (source >= 0) {
                        Objects.requireNonNull(clients.get(source)).flush();
                    }
                }
                for (long id : gone) {
                    farewell(id);
                }
                if (full && events == 0) {
                    full = false;
                    epoll.add(listener.fd(), Epoll.EPOLLIN, LISTENER);
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

    private void accept() throws LinuxException {
        UnixSocket socket;
        try {
            socket = listener.accept();
        } catch (LinuxException e) {
            // The device stays in the listener's backlog.
            report("keeps a device waiting", e);
            full = true;
            epoll.remove(listener.fd());
            return;
        }
        Client client = new Client(socket);
        long id = 0;
        while (clients.containsKey(id)) {
            id++;
        }
        try {
            for (int i = 0; i < vectors; i++) {
                client.bells.add(EventFd.create());
            }
            if (id <= IvshmemProtocol.HIGHEST_ID) {
                epoll.add(socket.fd(), Epoll.EPOLLIN | Epoll.EPOLLOUT | Epoll.EPOLLET, id);
                introduce(id, client);
                return;
            }
        } catch (LinuxException e) {
            report("turns a device away", e);
        }
        client.close();
    }

    private void report(String what, LinuxException reason) {
        LOG.log(
                System.Logger.Level.WARNING,
                "the ivshmem server at " + listener.path() + " " + what + ": " + reason.getMessage());
    }

    private void introduce(long id, Client client) {
        client.tell(IvshmemProtocol.VERSION, List.of());
        client.tell(id, List.of());
        client.tell(IvshmemProtocol.SHARED_MEMORY, List.of(memory));
        clients.forEach((otherId, other) -> {
            client.tellBells(otherId, other);
            other.tellBells(id, client);
        });
        // Its own come last, so that a device that hears of them knows all peers.
        client.tellBells(id, client);
        clients.put(id, client);
        dropWhoDoesNotRead();
    }

    private void farewell(long id) throws LinuxException {
        Client gone = clients.remove(id);
        if (gone != null) {
            epoll.remove(gone.socket.fd());
            gone.close();
            clients.values().forEach(other -> other.tell(id, List.of()));
            dropWhoDoesNotRead();
        }
    }

    /** No client can have read yet all that it is told when it comes; twice as much waits only for one that never reads. */
    private void dropWhoDoesNotRead() {
        long most = 2L * (MESSAGES_BEFORE_BELLS + (long) vectors * clients.size());
        for (Client client : clients.values()) {
            if (client.unsent.size() > most) {
                client.drop();
            }
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
