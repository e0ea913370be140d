package dev.outboard.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A listening Unix stream socket. Closing it removes its file. */
public final class UnixServerSocket implements AutoCloseable {
    private static final int BACKLOG = 16;
    private static final int LOCK_TIMEOUT_MILLIS = 5_000;
    private static final int S_IFMT = 0xf000;
    private static final int S_IFSOCK = 0xc000;

    private final Fd fd;
    private final Path path;
    private final @Nullable Object file;

    private UnixServerSocket(Fd fd, Path path, @Nullable Object file) {
        this.fd = fd;
        this.path = path;
        this.file = file;
    }

    /**
     * Listens. A socket file that nobody listens on any more is replaced. Of servers that start at the same time at one
     * path, one listens and the others are refused.
     *
     * @param path the socket's path, at most 107 bytes
     * @return the listening socket
     * @throws LinuxException EADDRINUSE if somebody listens there, or the path is no socket; EAGAIN if somebody keeps its
     *     folder locked
     */
    public static UnixServerSocket listen(Path path) throws LinuxException {
        String name = path.toString();
        Fd fd = UnixSocket.create(name);
        try (Arena arena = Arena.ofConfined()) {
            var address = UnixSocket.address(name, arena);
            Fd folder = lockFolder(path);
            try {
                int bound = Libc.bind(fd.number(), address);
                if (bound == -Errno.EADDRINUSE && removeStale(path)) {
                    bound = Libc.bind(fd.number(), address);
                }
                if (bound == -Errno.EADDRINUSE) {
                    throw new LinuxException("bind", name, Errno.EADDRINUSE, adviceAbout(path));
                }
                if (bound == -Errno.ENOENT) {
                    throw new LinuxException("bind", name, Errno.ENOENT, "create the folder of the socket first");
                }
                LinuxException.check(bound, "bind", name);
                LinuxException.check(Libc.listen(fd.number(), BACKLOG), "listen", name);
                return new UnixServerSocket(fd, path, identity(path));
            } finally {
                if (folder != null) {
                    folder.close();
                }
            }
        } catch (LinuxException e) {
            fd.close();
            throw e;
        }
    }

    /**
     * From bind to listen a live socket looks stale: a server that looks then would delete it. So servers take turns, by a
     * lock of the folder, which leaves no file behind.
     *
     * @return the folder, locked until it is closed; null if it cannot be locked
     */
    private static @Nullable Fd lockFolder(Path path) throws LinuxException {
        Path parent = path.toAbsolutePath().getParent();
        if (parent == null) {
            return null;
        }
        Fd folder;
        try {
            folder = Fd.open(parent.toString(), Fd.O_RDONLY | Fd.O_DIRECTORY);
        } catch (LinuxException unreadable) {
            // One that is not there is bind's to report; one that may be written but not read works as it always did.
            return null;
        }
        try {
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LOCK_TIMEOUT_MILLIS);
            int locked = FileLock.tryWhole(folder);
            while (locked == -Errno.EAGAIN && System.nanoTime() < deadline) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                locked = FileLock.tryWhole(folder);
            }
            if (locked == -Errno.EAGAIN) {
                throw new LinuxException(
                        "flock",
                        parent.toString(),
                        Errno.EAGAIN,
                        "another program keeps the folder locked (lslocks shows it); choose another folder");
            }
            // A file system that has no locks leaves things as they always were.
            return folder;
        } catch (LinuxException e) {
            folder.close();
            throw e;
        }
    }

    private static boolean isSocket(Path path) throws IOException {
        return ((Integer) Files.getAttribute(path, "unix:mode") & S_IFMT) == S_IFSOCK;
    }

    private static String adviceAbout(Path path) {
        try {
            if (!isSocket(path)) {
                return "what is there is no socket: choose another path, or delete it yourself";
            }
        } catch (IOException unknown) {
            // As where there is one.
        }
        return "choose another path, or stop who listens there";
    }

    private static boolean removeStale(Path path) {
        try {
            if (!isSocket(path)) {
                return false;
            }
            UnixSocket.connect(path.toString()).close();
            return false;
        } catch (NoSuchFileException closedMeanwhile) {
            return true;
        } catch (LinuxException refused) {
            return refused.errno() == Errno.ENOENT
                    || (refused.errno() == Errno.ECONNREFUSED && path.toFile().delete());
        } catch (IOException e) {
            return false;
        }
    }

    /** Device and inode of what is at the path; null if it is gone already. */
    private static @Nullable Object identity(Path path) {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
        } catch (IOException gone) {
            return null;
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
            if (file != null && file.equals(identity(path))) {
                // Somebody may have removed the file by hand, and another server listen there now.
                path.toFile().delete();
            }
            fd.close();
        }
    }
}
