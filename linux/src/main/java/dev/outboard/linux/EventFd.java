package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * An event counter: {@code eventfd(2)}. The kernel, another process or another thread adds to it; reading returns the sum
 * and sets it to zero. Methods may be called from any thread, but only one thread at a time may read or wait.
 */
public final class EventFd implements AutoCloseable {
    private static final int EFD_CLOEXEC = 0x80000;
    private static final int EFD_NONBLOCK = 0x800;
    private static final MemorySegment ONE = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1L);

    private final Fd fd;
    // Not of an arena that closes: it would refuse to while another thread signals.
    private final MemorySegment counter = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);

    // Of a counter that a peer made, which may block: what poll(2) is asked before each signal.
    private final @Nullable MemorySegment beforeSignal;

    private EventFd(Fd fd, @Nullable MemorySegment beforeSignal) {
        this.fd = fd;
        this.beforeSignal = beforeSignal;
    }

    /**
     * Creates a counter at zero.
     *
     * @return the counter
     * @throws LinuxException if there is no descriptor left
     */
    public static EventFd create() throws LinuxException {
        long number = LinuxException.check(Libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd", "counter");
        return new EventFd(new Fd((int) number, "eventfd"), null);
    }

    /**
     * Takes over a counter that somebody else made, for example a peer that passed its descriptor, or what a peer gives in
     * its place, such as a pipe. It is made non-blocking, and as its maker can undo that, each {@link #signal} looks first
     * whether it would block.
     *
     * @param fd the descriptor; it now belongs to this object
     * @return the counter
     * @throws LinuxException if it cannot be made non-blocking; it stays the caller's then
     */
    public static EventFd of(Fd fd) throws LinuxException {
        fd.setNonBlocking();
        return new EventFd(fd, Poll.question(Arena.ofAuto(), fd, Poll.POLLOUT));
    }

    /**
     * The descriptor, to give to the kernel or to a peer.
     *
     * @return the descriptor, still owned by this object
     */
    public Fd fd() {
        return fd;
    }

    /**
     * Adds one. A counter at its maximum (2<sup>64</sup>−2) already says "signalled" and stays as it is. Does not block.
     *
     * @throws LinuxException if the call fails otherwise
     */
    public void signal() throws LinuxException {
        if (beforeSignal != null && Libc.poll(beforeSignal, 1, 0) == 0) {
            return;
        }
        long written = Libc.write(fd.number(), ONE);
        if (written != -Errno.EAGAIN) {
            LinuxException.check(written, "write", fd.name());
        }
    }

    /**
     * Reads the counter and sets it to zero, without waiting.
     *
     * @return the count; 0 if nothing was signalled since the last read
     * @throws LinuxException if the call fails
     */
    public long read() throws LinuxException {
        return await(Duration.ZERO);
    }

    /**
     * Waits until the counter is not zero, then reads it. Blocks the platform thread.
     *
     * @param timeout how long to wait at most
     * @return the count; 0 if nothing was signalled in time
     * @throws LinuxException if the call fails
     */
    public long await(Duration timeout) throws LinuxException {
        // A taken over counter may be a blocking one: look first.
        if (!Poll.readable(fd, timeout)) {
            return 0;
        }
        long result = Libc.read(fd.number(), counter);
        if (result == -Errno.EAGAIN) {
            return 0;
        }
        LinuxException.check(result, "read", fd.name());
        return counter.get(ValueLayout.JAVA_LONG, 0);
    }

    @Override
    public void close() {
        fd.close();
    }
}
