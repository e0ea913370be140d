package dev.outboard.rig;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/** The sockets of a guest's ports, and the one thread that listens to them. */
final class GuestPorts implements AutoCloseable {
    private static final int READ_BYTES = 64 << 10;

    /** Is told what comes from the guest, by one thread. */
    interface Listener {
        void output(Port port, ByteBuffer bytes);

        void line(Port port, String line);

        void ended();
    }

    private final Map<Port, ServerSocketChannel> servers = new EnumMap<>(Port.class);
    private final Map<Port, SocketChannel> channels = new EnumMap<>(Port.class);
    private final Map<Port, LineBuffer> lines = new EnumMap<>(Port.class);
    private final ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES);
    private final Selector selector;

    GuestPorts(Path directory) throws IOException {
        selector = Selector.open();
        try {
            for (Port port : Port.values()) {
                ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
                servers.put(port, server);
                bind(server, directory.resolve(port.socketName()));
                server.configureBlocking(false);
                server.register(selector, SelectionKey.OP_ACCEPT, port);
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    private static void bind(ServerSocketChannel server, Path path) throws IOException {
        try {
            server.bind(UnixDomainSocketAddress.of(path));
        } catch (IOException e) {
            throw new RigException(
                    "Cannot listen on %s: %s; if the path is too long, set -Djava.io.tmpdir to a shorter folder"
                            .formatted(path, e.getMessage()),
                    e);
        }
    }

    /** Waits until QEMU has connected all ports; false when it ended or the deadline passed before. */
    boolean accept(GuestProcess process, Deadline deadline) throws IOException {
        process.onExit(selector::wakeup);
        while (channels.size() < servers.size()) {
            if (deadline.isOver() || !process.isAlive()) {
                return false;
            }
            selector.select(deadline.remainingMillis());
            for (SelectionKey key : selector.selectedKeys()) {
                Port port = (Port) key.attachment();
                SocketChannel channel =
                        Objects.requireNonNull(servers.get(port)).accept();
                if (channel != null) {
                    channels.put(port, channel);
                    key.cancel();
                }
            }
            selector.selectedKeys().clear();
        }
        return true;
    }

    SocketChannel monitor() {
        return channel(Port.MONITOR);
    }

    void listen(Listener listener) throws IOException {
        for (Port port : Port.values()) {
            if (port != Port.MONITOR) {
                SocketChannel channel = channel(port);
                channel.configureBlocking(false);
                channel.register(selector, SelectionKey.OP_READ, port);
                lines.put(port, new LineBuffer());
            }
        }
        Thread.ofPlatform().daemon().name("rig-ports").start(() -> serve(listener));
    }

    void send(Port port, String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        channel(port).write(bytes);
        if (bytes.hasRemaining()) {
            throw new RigException("The guest does not read from its port " + port.id());
        }
    }

    private void serve(Listener listener) {
        try {
            boolean open = true;
            while (open) {
                selector.select();
                selector.selectedKeys().clear();
                // Control comes last: what a command printed before it ended is in the sockets by then, because a
                // guest's write returns when QEMU has passed the bytes on.
                String control = null;
                open = receive(Port.HOST, listener);
                open &= fill(Port.CONTROL);
                do {
                    control = lines(Port.CONTROL).next();
                    drain(Port.STDOUT, listener);
                    drain(Port.STDERR, listener);
                    if (control != null) {
                        listener.line(Port.CONTROL, control);
                    }
                } while (control != null);
            }
        } catch (IOException | ClosedSelectorException e) {
            // Closed by this side, or QEMU was killed: either way the guest is over, and the listener is told.
        } finally {
            listener.ended();
        }
    }

    private boolean receive(Port port, Listener listener) throws IOException {
        boolean open = fill(port);
        for (String line = lines(port).next(); line != null; line = lines(port).next()) {
            listener.line(port, line);
        }
        return open;
    }

    private SocketChannel channel(Port port) {
        return Objects.requireNonNull(channels.get(port), "accept() comes first");
    }

    private LineBuffer lines(Port port) {
        return Objects.requireNonNull(lines.get(port), "listen() comes first");
    }

    private boolean fill(Port port) throws IOException {
        int count = channel(port).read(buffer.clear());
        while (count > 0) {
            lines(port).add(buffer.flip());
            count = channel(port).read(buffer.clear());
        }
        return count == 0;
    }

    private void drain(Port port, Listener listener) throws IOException {
        while (channel(port).read(buffer.clear()) > 0) {
            listener.output(port, buffer.flip());
        }
    }

    @Override
    public void close() throws IOException {
        selector.close();
        for (ServerSocketChannel server : servers.values()) {
            server.close();
        }
        for (SocketChannel channel : channels.values()) {
            channel.close();
        }
    }
}
