package dev.outboard.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;

/** A listening Unix stream socket. Closing it removes its file. */
public final class UnixServerSocket implements AutoCloseable {
    private static final int BACKLOG = 16;
    private static final int S_IFMT = 0xf000;
    private static final int S_IFSOCK = 0xc000;

    private final Fd fd;
    private final Path path;

    private UnixServerSocket(Fd fd, Path path) {
        this.fd = fd;
        this.path = path;
    }

    /**
     * Listens. A socket file that nobody listens on any more is replaced.
     *
     * @param path the socket's path, at most 107 bytes
     * @return the listening socket
     * @throws LinuxException EADDRINUSE if somebody listens there, or the path is no socket
     */
    public static UnixServerSocket listen(Path path) throws LinuxException {
        String name = path.toString();
        Fd fd = UnixSocket.create(name);
        try (Arena arena = Arena.ofConfined()) {
            var address = UnixSocket.address(name, arena);
            int bound = Libc.bind(fd.number(), address);
            if (bound == -Errno.EADDRINUSE && removeStale(path)) {
                bound = Libc.bind(fd.number(), address);
            }
            if (bound == -Errno.EADDRINUSE) {
                throw new LinuxException(
                        "bind", name, Errno.EADDRINUSE, "choose another path, or stop who listens there");
            }
            LinuxException.check(bound, "bind", name);
            LinuxException.check(Libc.listen(fd.number(), BACKLOG), "listen", name);
            return new UnixServerSocket(fd, path);
        } catch (LinuxException e) {
            fd.close();
            throw e;
        }
    }

    private static boolean removeStale(Path path) {
        try {
            if (((Integer) Files.getAttribute(path, "unix:mode") & S_IFMT) != S_IFSOCK) {
                return false;
            }
            UnixSocket.connect(path.toString()).close();
            return false;
        } catch (LinuxException refused) {
            return refused.errno() == Errno.ECONNREFUSED && path.toFile().delete();
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Waits for a client. Blocks; {@link #fd} tells when it will not.
     *
     * @return the connection
     * @throws LinuxException if the call fails
     */
    public UnixSocket accept() throws LinuxException {
        String name = path.toString();
        int result;
        do {
            result = Libc.accept4(fd.number(), UnixSocket.SOCK_CLOEXEC);
        } while (result == -Errno.EINTR);
        return new UnixSocket(new Fd((int) LinuxException.check(result, "accept4", name), name));
    }

    /**
     * The descriptor, to wait for.
     *
     * @return the descriptor, still owned by this object
     */
    public Fd fd() {
        return fd;
    }

    /**
     * Where it listens.
     *
     * @return the socket's path
     */
    public Path path() {
        return path;
    }

    @Override
    public void close() {
        if (fd.isOpen()) {
            // In this order: once the socket is closed its file is stale, and may be replaced by another server's.
            path.toFile().delete();
            fd.close();
        }
    }
}
