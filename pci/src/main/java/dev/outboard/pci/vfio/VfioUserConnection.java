package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vfiouser.VfioUser;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The client's end of a vfio-user connection: sends commands and waits for their replies, and answers the commands that
 * the server sends. Safe for use by several threads; a thread of its own reads the socket, and another one the socket for
 * the server's commands if there is one.
 *
 * <p>A connection fails once and for all: when the server closes it, does not answer in time, or sends what makes no
 * sense. Everybody who waits, and everybody who comes later, then gets a {@link DeviceGoneException} that says why.
 */
final class VfioUserConnection implements AutoCloseable {
    /** How long a server may take for a reply. */
    static final Duration REPLY_TIMEOUT = Duration.ofSeconds(5);

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);
    private static final String CLOSED = "the server closed the connection";

    /** What a command brought: what followed the header, and descriptors, which belong to who gets it. */
    record Reply(MemorySegment body, List<Fd> descriptors) {
        void closeDescriptors() {
            descriptors.forEach(Fd::close);
        }
    }

    /** Answers the commands of the server. */
    interface ServerCommands {
        /**
         * Answers one.
         *
         * @param command which
         * @param body what follows its header
         * @return what follows the header of the reply
         * @throws LinuxException if it cannot be done; the server gets the error number
         * @throws DeviceException if it makes no sense; this ends the connection
         */
        MemorySegment answer(int command, MemorySegment body) throws LinuxException, DeviceException;
    }

    /** The socket that the server's commands come over, and who reads it. */
    private record Twin(VfioUserStream stream, Thread reader) {}

    private final String name;
    private final VfioUserStream stream;
    private final ServerCommands serverCommands;
    private final PendingReplies pending = new PendingReplies();
    private final Thread reader;
    private volatile @Nullable Twin twin;
    private final GoneState state = new GoneState();
    private volatile Duration timeout = REPLY_TIMEOUT;

    /**
     * Takes a socket over.
     *
     * @param name the device's address, for messages
     * @param socket the connected socket
     * @param serverCommands answers the server's commands, on the reading thread
     */
    VfioUserConnection(String name, UnixSocket socket, ServerCommands serverCommands) {
        this.name = name;
        stream = new VfioUserStream(name, socket);
        this.serverCommands = serverCommands;
        reader = Thread.ofPlatform().daemon().name(name).unstarted(() -> readUntilEnd(stream));
    }

    /** Starts to read. */
    void start() {
        reader.start();
    }

    /**
     * Takes over another socket, that the server's commands come over from now on.
     *
     * @param socket connected to the server
     */
    void addCommandSocket(UnixSocket socket) {
        var commands = new VfioUserStream(name, socket);
        var added = new Twin(
                commands,
                Thread.ofPlatform().daemon().name(name + " commands").unstarted(() -> readUntilEnd(commands)));
        twin = added;
        added.reader.start();
        if (!isPresent()) {
            // It ended before it could know.
            commands.shutdown();
        }
    }

    /**
     * Sends a command and waits for its reply.
     *
     * @param command which
     * @param body what follows the header
     * @param descriptors go with it
     * @return the reply
     * @throws DeviceException if the server replies an error number
     * @throws DeviceTimeoutException if the server does not reply in time, which ends the connection
     * @throws DeviceGoneException if the connection ended
     */
    Reply call(int command, MemorySegment body, List<Fd> descriptors) throws DeviceException {
        long deadline = System.nanoTime() + timeout.toNanos();
        PendingReplies.Waiter waiter = pending.add(name, command);
        try {
            // After it was added, so that either this sees the failure, or the failure sees the waiter.
            checkPresent();
            stream.send(waiter.id(), command, VfioUser.FLAGS_TYPE_COMMAND, 0, body, descriptors, deadline);
            Reply reply = waiter.await(deadline);
            if (reply == null) {
                throw gone();
            }
            return reply;
        } catch (TimeoutException e) {
            var late = new DeviceTimeoutException(name + ": the server did not answer "
                    + VfioUser.commandName(command) + " within " + timeout.toMillis()
                    + " ms, and is given up; see whether it hangs, then start it again");
            fail(late);
            throw late;
        } catch (LinuxException e) {
            throw fail(e);
        } finally {
            pending.remove(waiter);
        }
    }

    private void readUntilEnd(VfioUserStream from) {
        try {
            while (isPresent()) {
                VfioUserStream.Message message = from.receive();
                if (message == null) {
                    throw new DeviceException(CLOSED);
                }
                handle(from, message);
            }
        } catch (LinuxException | DeviceException | RuntimeException | Error e) {
            fail(e);
        }
    }

    private void handle(VfioUserStream from, VfioUserStream.Message message) throws DeviceException, LinuxException {
        StructView header = message.header();
        int id = (int) header.get("msg_id");
        int command = (int) header.get("cmd");
        long flags = header.get("flags");
        Reply reply = new Reply(message.body(), message.descriptors());
        boolean taken = false;
        try {
            switch (type(flags)) {
                case VfioUser.FLAGS_TYPE_COMMAND ->
                    answer(from, id, command, message.body(), (flags & VfioUser.FLAGS_NO_REPLY) != 0);
                case VfioUser.FLAGS_TYPE_REPLY -> {
                    PendingReplies.Waiter waiter = pending.find(id, command);
                    if (waiter == null) {
                        throw new DeviceException("the server sent a reply to " + VfioUser.commandName(command)
                                + " with message id " + id + ", which nobody asked for");
                    }
                    if ((flags & VfioUser.FLAGS_ERROR) != 0) {
                        waiter.refuse(refused(command, header.get("error_no")));
                    } else {
                        taken = waiter.complete(reply);
                    }
                }
                default ->
                    throw new DeviceException("the server sent a message with flags 0x" + Long.toHexString(flags)
                            + ", neither command nor reply");
            }
        } finally {
            if (!taken) {
                reply.closeDescriptors();
            }
        }
    }

    /** An error is always a reply; rust-vmm's server leaves it at that. */
    private static int type(long flags) {
        return (flags & VfioUser.FLAGS_ERROR) != 0 ? VfioUser.FLAGS_TYPE_REPLY : (int) flags & VfioUser.FLAGS_TYPE_MASK;
    }

    private DeviceException refused(int command, long errno) {
        String why = errno == 0 || errno > Integer.MAX_VALUE
                ? "an error without a number"
                : Errno.describe((int) errno) + " (" + Errno.name((int) errno) + ")";
        return new DeviceException(name + ": the server refused " + VfioUser.commandName(command) + ": " + why);
    }

    private void answer(VfioUserStream to, int id, int command, MemorySegment body, boolean noReply)
            throws DeviceException, LinuxException {
        MemorySegment answer = MemorySegment.NULL;
        int flags = VfioUser.FLAGS_TYPE_REPLY;
        int errno = 0;
        try {
            answer = serverCommands.answer(command, body);
        } catch (LinuxException e) {
            flags |= VfioUser.FLAGS_ERROR;
            errno = e.errno();
        }
        if (!noReply) {
            try {
                long deadline = System.nanoTime() + timeout.toNanos();
                to.send(id, command, flags, errno, answer, List.of(), deadline);
            } catch (TimeoutException e) {
                throw new DeviceException(
                        "the server does not read the reply to its " + VfioUser.commandName(command), e);
            }
        }
    }

    /**
     * Ends the connection, unless it has ended already.
     *
     * @param cause why
     * @return what to throw
     */
    DeviceGoneException fail(Throwable cause) {
        state.fail(saysThatThePeerLeft(cause) ? new DeviceException(CLOSED, cause) : cause);
        stream.shutdown();
        Twin other = twin;
        if (other != null) {
            other.stream.shutdown();
        }
        pending.endAll();
        return gone();
    }

    /** Which error it is depends on what the server had not read yet when it left. */
    private static boolean saysThatThePeerLeft(Throwable cause) {
        return cause instanceof LinuxException e && (e.errno() == Errno.EPIPE || e.errno() == Errno.ECONNRESET);
    }

    private DeviceGoneException gone() {
        Throwable cause = state.failure();
        String why = cause == null || cause.getMessage() == null ? "it ended" : cause.getMessage();
        String about = why.startsWith(name) ? "" : name + ": ";
        return new DeviceGoneException(about + why + "; the device is gone, open it again", cause);
    }

    /** Whether the connection still stands. */
    boolean isPresent() {
        return state.failure() == null;
    }

    /** Throws if the connection has ended. */
    void checkPresent() throws DeviceGoneException {
        if (!isPresent()) {
            throw gone();
        }
    }

    /** Runs an action when the connection ends; at once if it has. */
    void whenGone(Runnable action) {
        state.whenFailed(action);
    }

    /** From now on, a server that does not answer is given up sooner. */
    void prepareClose() {
        timeout = CLOSE_TIMEOUT;
    }

    /** Ends the connection and its thread. */
    @Override
    public void close() {
        state.forgetActions();
        fail(new DeviceException("it was closed"));
        join(reader);
        Twin other = twin;
        if (other != null) {
            join(other.reader);
            other.stream.close();
        }
        stream.close();
    }

    /** Waits for a reader to end. Bounded: every wait of it ends with the connection. */
    private static void join(Thread thread) {
        boolean interrupted = false;
        if (!Thread.currentThread().equals(thread)) {
            try {
                thread.join(CLOSE_TIMEOUT);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
