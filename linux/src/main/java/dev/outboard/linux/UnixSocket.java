package dev.outboard.linux;

import static dev.outboard.linux.Struct.u16;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A connected Unix stream socket that passes file descriptors: {@code unix(7)}, {@code SCM_RIGHTS}. One thread may send
 * while another receives; two threads that send (or receive) must take turns.
 */
public final class UnixSocket implements AutoCloseable {
    /** The most descriptors that one message can carry. {@code SCM_MAX_FD} of the kernel. */
    public static final int MAXIMUM_DESCRIPTORS = 253;

    static final int AF_UNIX = 1;
    static final int SOCK_STREAM = 1;
    static final int SOCK_CLOEXEC = 0x80000;

    static final Struct MSGHDR = Struct.of(
            "msghdr",
            u64("msg_name"),
            u32("msg_namelen"),
            u64("msg_iov"),
            u64("msg_iovlen"),
            u64("msg_control"),
            u64("msg_controllen"),
            u32("msg_flags"));
    static final Struct CMSGHDR = Struct.of("cmsghdr", u64("cmsg_len"), u32("cmsg_level"), u32("cmsg_type"));
    static final Struct IOVEC = Struct.of("iovec", u64("iov_base"), u64("iov_len"));
    static final Struct SOCKADDR_UN = Struct.of("sockaddr_un", u16("sun_family"), Struct.bytes("sun_path", 108));

    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int MSG_CTRUNC = 8;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int SHUT_RDWR = 2;

    private final Fd fd;

    UnixSocket(Fd fd) {
        this.fd = fd;
    }

    /**
     * Connects to a listening socket.
     *
     * @param path the socket's path, at most 107 bytes
     * @return the connection
     * @throws LinuxException ENOENT if there is no such file, ECONNREFUSED if nobody listens there
     */
    public static UnixSocket connect(String path) throws LinuxException {
        Fd fd = create(path);
        try (Arena arena = Arena.ofConfined()) {
            LinuxException.check(Libc.connect(fd.number(), address(path, arena)), "connect", path);
            return new UnixSocket(fd);
        } catch (LinuxException e) {
            fd.close();
            throw e;
        }
    }

    /**
     * Creates two sockets that are connected to each other. {@code socketpair(2)}.
     *
     * @return the two
     * @throws LinuxException if there is no descriptor left
     */
    public static List<UnixSocket> pair() throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pair = arena.allocate(ValueLayout.JAVA_INT, 2);
            LinuxException.check(Libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair", "unix");
            return List.of(
                    new UnixSocket(new Fd(pair.getAtIndex(ValueLayout.JAVA_INT, 0), "socketpair")),
                    new UnixSocket(new Fd(pair.getAtIndex(ValueLayout.JAVA_INT, 1), "socketpair")));
        }
    }

    /**
     * A connection whose descriptor came from elsewhere.
     *
     * @param fd a connected Unix stream socket; it belongs to the result
     * @return the connection
     */
    public static UnixSocket of(Fd fd) {
        return new UnixSocket(fd);
    }

    static Fd create(String name) throws LinuxException {
        return new Fd(
                (int) LinuxException.check(Libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket", name), name);
    }

    static MemorySegment address(String path, Arena arena) throws LinuxException {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        StructView address = SOCKADDR_UN.allocate(arena).set("sun_family", AF_UNIX);
        MemorySegment target = address.slice("sun_path");
        // A path that begins with NUL, as the empty one does here, would be a name outside of the file system.
        if (bytes.length == 0 || bytes[0] == 0) {
            throw new LinuxException("bind or connect", path, Errno.ENOENT, "a socket's path is not empty");
        }
        if (bytes.length >= target.byteSize()) {
            throw new LinuxException(
                    "bind or connect",
                    path,
                    Errno.ENAMETOOLONG,
                    "a socket's path has at most 107 bytes; use a shorter one");
        }
        MemorySegment.copy(bytes, 0, target, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return address.segment();
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
     * Sends all bytes; descriptors go with the first. {@code sendmsg(2)}. Blocks while the peer does not read.
     *
     * @param bytes what to send, at least one byte, in native memory
     * @param descriptors duplicated into the peer; they stay open here
     * @throws LinuxException EPIPE or ECONNRESET if the peer is gone
     */
    public void send(MemorySegment bytes, List<Fd> descriptors) throws LinuxException {
        send(bytes, descriptors, 0, null);
    }

    /**
     * Sends all bytes to a peer that may not read: as {@link #send(MemorySegment, List)}, and waits for a time only. After
     * a failure nobody knows how much the peer has got.
     *
     * @param bytes what to send, at least one byte, in native memory
     * @param descriptors duplicated into the peer; they stay open here
     * @param timeout how long to wait at most
     * @throws LinuxException ETIMEDOUT if the peer did not read in time; EPIPE or ECONNRESET if it is gone
     */
    public void send(MemorySegment bytes, List<Fd> descriptors, Duration timeout) throws LinuxException {
        send(bytes, descriptors, MSG_DONTWAIT, timeout);
    }

    private void send(MemorySegment bytes, List<Fd> descriptors, int flags, @Nullable Duration timeout)
            throws LinuxException {
        checkBuffer(bytes);
        long start = timeout == null ? 0 : System.nanoTime();
        try (Arena arena = Arena.ofConfined()) {
            StructView iov = IOVEC.allocate(arena);
            StructView message = MSGHDR.allocate(arena)
                    .set("msg_iov", iov.segment().address())
                    .set("msg_iovlen", 1);
            if (!descriptors.isEmpty()) {
                StructView control = CMSGHDR.allocate(arena, controlBytes(descriptors.size()) - CMSGHDR.byteSize())
                        .set("cmsg_len", CMSGHDR.byteSize() + (long) descriptors.size() * Integer.BYTES)
                        .set("cmsg_level", SOL_SOCKET)
                        .set("cmsg_type", SCM_RIGHTS);
                for (int i = 0; i < descriptors.size(); i++) {
                    control.trailing()
                            .setAtIndex(
                                    ValueLayout.JAVA_INT, i, descriptors.get(i).number());
                }
                message.set("msg_control", control.segment().address())
                        .set("msg_controllen", control.segment().byteSize());
            }
            long sent = 0;
            while (sent < bytes.byteSize()) {
                iov.set("iov_base", bytes.address() + sent).set("iov_len", bytes.byteSize() - sent);
                long result = Libc.sendmsg(fd.number(), message.segment(), MSG_NOSIGNAL | flags);
                if (result == -Errno.EAGAIN && timeout != null) {
                    if (!Poll.writable(fd, timeout.minusNanos(System.nanoTime() - start))) {
                        throw new LinuxException(
                                "sendmsg", fd.name(), Errno.ETIMEDOUT, "the peer does not read what it is sent");
                    }
                } else if (result != -Errno.EINTR) {
                    sent += LinuxException.check(result, "sendmsg", fd.name());
                    message.set("msg_control", 0).set("msg_controllen", 0);
                }
            }
        } finally {
            Reference.reachabilityFence(bytes);
        }
    }

    /**
     * Receives what is there, at least one byte, and the descriptors that came with it. {@code recvmsg(2)}. Blocks.
     *
     * @param buffer where to, at least one byte, in native memory
     * @return what came; no bytes if the peer closed the connection
     * @throws LinuxException ECONNRESET if the peer is gone; EMFILE if descriptors were lost for want of room
     */
    public Received receive(MemorySegment buffer) throws LinuxException {
        Received received = receive(buffer, 0);
        if (received == null) {
            throw new LinuxException("recvmsg", fd.name(), Errno.EAGAIN, "somebody made the socket non-blocking");
        }
        return received;
    }

    /**
     * Receives what is there, and the descriptors that came with it. {@code recvmsg(2)} with {@code MSG_DONTWAIT}.
     *
     * @param buffer where to, at least one byte, in native memory
     * @return what came; no bytes if the peer closed the connection; null if nothing is there
     * @throws LinuxException ECONNRESET if the peer is gone; EMFILE if descriptors were lost for want of room
     */
    public @Nullable Received receiveNow(MemorySegment buffer) throws LinuxException {
        return receive(buffer, MSG_DONTWAIT);
    }

    private @Nullable Received receive(MemorySegment buffer, int flags) throws LinuxException {
        checkBuffer(Fd.writable(buffer));
        try (Arena arena = Arena.ofConfined()) {
            StructView iov =
                    IOVEC.allocate(arena).set("iov_base", buffer.address()).set("iov_len", buffer.byteSize());
            MemorySegment control = arena.allocate(controlBytes(MAXIMUM_DESCRIPTORS), Long.BYTES);
            StructView message = MSGHDR.allocate(arena)
                    .set("msg_iov", iov.segment().address())
                    .set("msg_iovlen", 1)
                    .set("msg_control", control.address())
                    .set("msg_controllen", control.byteSize());
            long received;
            do {
                received = Libc.recvmsg(fd.number(), message.segment(), MSG_CMSG_CLOEXEC | flags);
            } while (received == -Errno.EINTR);
            if (received == -Errno.EAGAIN) {
                return null;
            }
            LinuxException.check(received, "recvmsg", fd.name());
            List<Fd> descriptors = descriptors(control.asSlice(0, message.get("msg_controllen")));
            if ((message.get("msg_flags") & MSG_CTRUNC) != 0) {
                descriptors.forEach(Fd::close);
                throw new LinuxException("recvmsg", fd.name(), Errno.EMFILE, "descriptors were lost; raise ulimit -n");
            }
            return new Received(received, descriptors);
        } finally {
            Reference.reachabilityFence(buffer);
        }
    }

    /** No bytes would carry no descriptors, and mean the end of the connection. */
    private static void checkBuffer(MemorySegment buffer) {
        if (!buffer.isNative() || buffer.byteSize() == 0) {
            throw new IllegalArgumentException("a buffer has at least one byte, in native memory: " + buffer);
        }
    }

    private List<Fd> descriptors(MemorySegment control) {
        List<Fd> descriptors = new ArrayList<>();
        long at = 0;
        while (at + CMSGHDR.byteSize() <= control.byteSize()) {
            StructView header = CMSGHDR.view(control.asSlice(at));
            long end = at + header.get("cmsg_len");
            if (header.get("cmsg_level") == SOL_SOCKET && header.get("cmsg_type") == SCM_RIGHTS) {
                for (long i = at + CMSGHDR.byteSize(); i + Integer.BYTES <= end; i += Integer.BYTES) {
                    descriptors.add(new Fd(control.get(ValueLayout.JAVA_INT, i), "received over " + fd.name()));
                }
            }
            at = align(end);
        }
        return descriptors;
    }

    private static long controlBytes(int descriptors) {
        return align(CMSGHDR.byteSize() + (long) descriptors * Integer.BYTES);
    }

    private static long align(long bytes) {
        return (bytes + Long.BYTES - 1) & -Long.BYTES;
    }

    /**
     * Ends the connection in both directions and wakes whoever waits on it; the descriptor stays until {@link #close}.
     * {@code shutdown(2)}. Harmless on a connection that has ended.
     */
    public void shutdown() {
        try {
            Libc.shutdown(fd.number(), SHUT_RDWR);
        } catch (LinuxException closed) {
            // Nothing is left to shut down.
        }
    }

    @Override
    public void close() {
        fd.close();
    }

    /**
     * What one {@link #receive} brought.
     *
     * @param bytes how many bytes; 0 if the peer closed the connection
     * @param descriptors the descriptors, which now belong to the caller
     */
    public record Received(long bytes, List<Fd> descriptors) {}
}
