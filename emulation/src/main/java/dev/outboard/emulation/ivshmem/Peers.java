package dev.outboard.emulation.ivshmem;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Epoll;
import dev.outboard.linux.Errno;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Poll;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.ivshmem.IvshmemProtocol;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A client of an ivshmem server: who the peers are and how to ring each, and who rings here. One thread. When the server
 * goes, the peers that are known stay.
 */
final class Peers implements AutoCloseable {
    private static final ValueLayout.OfLong NUMBER = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final Duration INTRODUCTION_TIMEOUT = Duration.ofSeconds(5);
    private static final long SERVER = -1;
    private static final long NOT_TOLD = -2;

    private final int vectors;
    private final Epoll epoll;
    private final MemorySegment message = Arena.ofAuto().allocate(NUMBER);
    private final Map<Long, List<EventFd>> bells = new HashMap<>();
    private @Nullable UnixSocket server;
    private @Nullable Fd memory;
    private long messageBytes;
    private long version = NOT_TOLD;
    private long id = NOT_TOLD;

    private Peers(int vectors) throws LinuxException {
        this.vectors = vectors;
        epoll = Epoll.create();
    }

    /** Nobody but this device, whose id is 0. */
    static Peers alone(int vectors) throws LinuxException {
        Peers peers = new Peers(vectors);
        peers.id = 0;
        try {
            for (int i = 0; i < vectors; i++) {
                peers.add(0, EventFd.create().fd());
            }
            return peers;
        } catch (LinuxException e) {
            peers.close();
            throw e;
        }
    }

    /** Connects to a server; null if nobody listens there. */
    static @Nullable UnixSocket find(Path socket) throws LinuxException {
        try {
            return UnixSocket.connect(socket.toString());
        } catch (LinuxException e) {
            if (e.errno() != Errno.ENOENT && e.errno() != Errno.ECONNREFUSED) {
                throw e;
            }
            return null;
        }
    }

    /** Joins those of a server, and waits until it has given this device an id and memory. */
    static Peers of(Path socket, int vectors) throws IOException {
        return of(UnixSocket.connect(socket.toString()), socket, vectors);
    }

    /** The same where the server was found already; the connection belongs to the result, and is closed if that fails. */
    static Peers of(UnixSocket server, Path socket, int vectors) throws IOException {
        Peers peers;
        try {
            peers = new Peers(vectors);
        } catch (LinuxException e) {
            server.close();
            throw e;
        }
        peers.server = server;
        try {
            peers.epoll.add(server.fd(), Epoll.EPOLLIN, SERVER);
            long start = System.nanoTime();
            while (peers.server != null && (peers.id < 0 || peers.memory == null)) {
                long left = INTRODUCTION_TIMEOUT.toNanos() - (System.nanoTime() - start);
                if (left <= 0 || !Poll.readable(server.fd(), Duration.ofNanos(left))) {
                    throw new DeviceException("the server at " + socket + " gave no memory within "
                            + INTRODUCTION_TIMEOUT.toSeconds() + " s; is it an ivshmem server?");
                }
                peers.hear(server);
            }
            if (peers.server == null) {
                throw new DeviceException("the server at " + socket + " hung up, or said what no ivshmem server of"
                        + " version " + IvshmemProtocol.VERSION + " says");
            }
            // What came along: the peers that are there already.
            peers.hear(server);
            return peers;
        } catch (IOException | RuntimeException e) {
            peers.close();
            throw e;
        }
    }

    int id() {
        return (int) id;
    }

    /** The server's memory; null if there is no server. */
    @Nullable
    Fd memory() {
        return memory;
    }

    /** Readable when somebody rings, or the server says something. */
    Fd fd() {
        return epoll.fd();
    }

    /** Rings, if there is such a peer with such a vector. */
    void ring(long peer, int vector) throws LinuxException {
        List<EventFd> known = bells.getOrDefault(peer, List.of());
        if (vector < known.size()) {
            try {
                known.get(vector).signal();
            } catch (LinuxException e) {
                // A bell that cannot be rung is as good as none; the peer, or its server, made it.
                forget(peer);
            }
        }
    }

    /** Takes what came: calls for each vector that was rung here. Returns how much that was. */
    int hear(IntConsumer rung) throws LinuxException {
        int events = epoll.await(0);
        for (int i = 0; i < events; i++) {
            long source = epoll.data(i);
            UnixSocket from = server;
            if (source != SERVER) {
                answer((int) source, rung);
            } else if (from != null) {
                hear(from);
            }
        }
        return events;
    }

    private void answer(int vector, IntConsumer rung) throws LinuxException {
        List<EventFd> own = bells.getOrDefault(id, List.of());
        if (vector >= own.size()) {
            return;
        }
        try {
            if (own.get(vector).read() > 0) {
                rung.accept(vector);
            }
        } catch (LinuxException e) {
            // What cannot be read would be there for ever; the server made it.
            forget(id);
        }
    }

    private void hear(UnixSocket from) throws LinuxException {
        try {
            while (server != null) {
                UnixSocket.Received received = from.receiveNow(message.asSlice(messageBytes));
                if (received == null) {
                    return;
                }
                messageBytes += received.bytes();
                boolean wrong = received.bytes() == 0 || received.descriptors().size() > 1;
                if (!wrong && messageBytes == IvshmemProtocol.MESSAGE_BYTES) {
                    messageBytes = 0;
                    wrong = !take(
                            message.get(NUMBER, 0),
                            received.descriptors().isEmpty()
                                    ? null
                                    : received.descriptors().getFirst());
                } else {
                    // A descriptor comes with the end of a message: they are sent whole.
                    received.descriptors().forEach(Fd::close);
                }
                if (wrong) {
                    leave();
                }
            }
        } catch (LinuxException gone) {
            leave();
        }
    }

    /** Returns false if no server says such a thing. */
    private boolean take(long number, @Nullable Fd descriptor) throws LinuxException {
        boolean isPeer = number >= 0 && number <= IvshmemProtocol.HIGHEST_ID;
        if (version == NOT_TOLD && descriptor == null) {
            version = number;
            return version == IvshmemProtocol.VERSION;
        } else if (id == NOT_TOLD && descriptor == null) {
            id = number;
            return isPeer;
        } else if (number == IvshmemProtocol.SHARED_MEMORY && descriptor != null && memory == null) {
            memory = descriptor;
            return true;
        } else if (isPeer && descriptor != null) {
            add(number, descriptor);
            return true;
        } else if (isPeer && number != id) {
            forget(number);
            return true;
        }
        if (descriptor != null) {
            descriptor.close();
        }
        return false;
    }

    private void add(long peer, Fd descriptor) throws LinuxException {
        List<EventFd> known = bells.computeIfAbsent(peer, unknown -> new ArrayList<>());
        if (known.size() == vectors) {
            descriptor.close();
            return;
        }
        if (peer == id) {
            epoll.add(descriptor, Epoll.EPOLLIN, known.size());
        }
        known.add(EventFd.of(descriptor));
    }

    private void forget(long peer) throws LinuxException {
        List<EventFd> known = bells.remove(peer);
        for (EventFd bell : known == null ? List.<EventFd>of() : known) {
            if (peer == id) {
                epoll.remove(bell.fd());
            }
            bell.close();
        }
    }

    private void leave() throws LinuxException {
        UnixSocket left = server;
        if (left != null) {
            server = null;
            epoll.remove(left.fd());
            left.close();
        }
    }

    @Override
    public void close() {
        if (server != null) {
            server.close();
        }
        if (memory != null) {
            memory.close();
        }
        bells.values().forEach(each -> each.forEach(EventFd::close));
        epoll.close();
    }
}
