package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Waiting for one descriptor: {@code poll(2)}. For several, or often, use {@link Epoll}. */
public final class Poll {
    /** {@code POLLIN}: there is something to read. */
    public static final int POLLIN = 1;
    /** {@code POLLOUT}: writing will not block. */
    public static final int POLLOUT = 4;
    /** {@code POLLERR}. */
    public static final int POLLERR = 8;
    /** {@code POLLHUP}: the peer is gone. */
    public static final int POLLHUP = 16;

    private static final long EVENTS_OFFSET = 4;
    private static final long RETURNED_OFFSET = 6;
    private static final long POLLFD_BYTES = 8;
    private static final long NANOS_PER_MILLI = 1_000_000;

    private Poll() {}

    /**
     * Waits for events of a descriptor.
     *
     * @param fd the descriptor
     * @param events {@code POLL} bits to wait for; POLLERR and POLLHUP are always waited for
     * @param timeout how long to wait at most
     * @return the {@code POLL} bits that hold; 0 if none did in time
     * @throws LinuxException if the call fails
     */
    public static int poll(Fd fd, int events, Duration timeout) throws LinuxException {
        long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pollfd = question(arena, fd, events);
            while (true) {
                int ready = Libc.poll(pollfd, 1, millisUntil(deadline));
                if (ready != -Errno.EINTR) {
                    LinuxException.check(ready, "poll", fd.name());
                    return ready == 0 ? 0 : pollfd.get(ValueLayout.JAVA_SHORT, RETURNED_OFFSET);
                }
            }
        }
    }

    /** One {@code struct pollfd}. */
    static MemorySegment question(Arena arena, Fd fd, int events) throws LinuxException {
        MemorySegment pollfd = arena.allocate(POLLFD_BYTES, Integer.BYTES);
        pollfd.set(ValueLayout.JAVA_INT, 0, fd.number());
        pollfd.set(ValueLayout.JAVA_SHORT, EVENTS_OFFSET, (short) events);
        return pollfd;
    }

    /**
     * Waits until something can be written without blocking, or the peer is gone.
     *
     * @param fd the descriptor
     * @param timeout how long to wait at most
     * @return false if nothing could in time
     * @throws LinuxException if the call fails
     */
    public static boolean writable(Fd fd, Duration timeout) throws LinuxException {
        return poll(fd, POLLOUT, timeout) != 0;
    }

    /**
     * Waits until there is something to read, or the peer is gone.
     *
     * @param fd the descriptor
     * @param timeout how long to wait at most
     * @return false if there was nothing in time
     * @throws LinuxException if the call fails
     */
    public static boolean readable(Fd fd, Duration timeout) throws LinuxException {
        return poll(fd, POLLIN, timeout) != 0;
    }

    /** Milliseconds until a time of {@link System#nanoTime}, rounded up so that a wait never ends too early. */
    static int millisUntil(long deadlineNanos) {
        long nanos = Math.max(0, deadlineNanos - System.nanoTime());
        return (int) Math.min(Integer.MAX_VALUE, Math.ceilDiv(nanos, NANOS_PER_MILLI));
    }
}
