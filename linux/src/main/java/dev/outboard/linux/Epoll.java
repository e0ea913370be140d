package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Waiting for many descriptors: {@code epoll(7)}, level-triggered unless told. Descriptors may be added and removed from any thread;
 * one thread waits.
 */
public final class Epoll implements AutoCloseable {
    /** {@code EPOLLIN}: there is something to read. */
    public static final int EPOLLIN = 1;
    /** {@code EPOLLOUT}: there is room to write. */
    public static final int EPOLLOUT = 4;
    /** {@code EPOLLERR}. */
    public static final int EPOLLERR = 8;
    /** {@code EPOLLHUP}: the peer is gone. */
    public static final int EPOLLHUP = 16;
    /** {@code EPOLLET}: an event is told of once, when it happens, and not for as long as it lasts. */
    public static final int EPOLLET = 1 << 31;

    // The structure is packed on x86-64 alone. eventpoll.h, EPOLL_PACKED.
    private static final boolean PACKED = "amd64".equals(System.getProperty("os.arch"));
    private static final long DATA_OFFSET = PACKED ? 4 : 8;
    private static final long EVENT_BYTES = DATA_OFFSET + Long.BYTES;
    private static final int EPOLL_CLOEXEC = 0x80000;
    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLL_CTL_DEL = 2;
    private static final int MAXIMUM_EVENTS = 64;

    private final Fd fd;
    // Not of an arena that closes: it would refuse to while a thread waits.
    private final MemorySegment events = Arena.ofAuto().allocate(MAXIMUM_EVENTS * EVENT_BYTES, Long.BYTES);

    private Epoll(Fd fd) {
        this.fd = fd;
    }

    /**
     * Creates an empty set.
     *
     * @return the set
     * @throws LinuxException if there is no descriptor left
     */
    public static Epoll create() throws LinuxException {
        long number = LinuxException.check(Libc.epollCreate1(EPOLL_CLOEXEC), "epoll_create1", "set");
        return new Epoll(new Fd((int) number, "epoll"));
    }

    /**
     * Adds a descriptor.
     *
     * @param added the descriptor
     * @param mask {@code EPOLL} bits to wait for; EPOLLERR and EPOLLHUP are always waited for
     * @param data what {@link #data} returns for its events
     * @throws LinuxException if the call fails; EEXIST if it is in the set already
     */
    public void add(Fd added, int mask, long data) throws LinuxException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment event = call.allocate(EVENT_BYTES, Long.BYTES);
            event.set(ValueLayout.JAVA_INT, 0, mask);
            event.set(ValueLayout.JAVA_LONG_UNALIGNED, DATA_OFFSET, data);
            int result = Libc.epollCtl(fd.number(), EPOLL_CTL_ADD, added.number(), event);
            LinuxException.check(result, "epoll_ctl", added.name());
        }
    }

    /**
     * Adds another set, so that one thread can wait for what several wait for.
     *
     * @param inner the set; there is an event of it, EPOLLIN, while there is one in it
     * @param data what {@link #data} returns for its events
     * @throws LinuxException if the call fails; ELOOP if the sets would contain each other
     */
    public void add(Epoll inner, long data) throws LinuxException {
        add(inner.fd, EPOLLIN, data);
    }

    /**
     * Removes a descriptor. Remove it before closing it: a closed one leaves the set only if no duplicate of it is open
     * anywhere, a peer's included, and cannot be removed any more.
     *
     * @param removed the descriptor
     * @throws LinuxException if the call fails; ENOENT if it is not in the set
     */
    public void remove(Fd removed) throws LinuxException {
        int result = Libc.epollCtl(fd.number(), EPOLL_CTL_DEL, removed.number(), MemorySegment.NULL);
        LinuxException.check(result, "epoll_ctl", removed.name());
    }

    /**
     * Waits for events. Blocks the platform thread.
     *
     * @param timeoutMillis how long at most; 0 to look only, −1 for as long as it takes
     * @return the number of events, to be read with {@link #data} and {@link #mask} until the next call; 0 if there was
     *     none in time, or a signal came
     * @throws LinuxException if the call fails
     */
    public int await(int timeoutMillis) throws LinuxException {
        int ready = Libc.epollWait(fd.number(), events, MAXIMUM_EVENTS, timeoutMillis);
        return ready == -Errno.EINTR ? 0 : (int) LinuxException.check(ready, "epoll_wait", fd.name());
    }

    /**
     * Which descriptor an event is of.
     *
     * @param event its index, below what {@link #await} returned
     * @return the data that its descriptor was added with
     */
    public long data(int event) {
        return events.get(ValueLayout.JAVA_LONG_UNALIGNED, event * EVENT_BYTES + DATA_OFFSET);
    }

    /**
     * What happened.
     *
     * @param event its index, below what {@link #await} returned
     * @return {@code EPOLL} bits
     */
    public int mask(int event) {
        return events.get(ValueLayout.JAVA_INT_UNALIGNED, event * EVENT_BYTES);
    }

    /**
     * The set's own descriptor: readable while there are events, so that a set can be in another one.
     *
     * @return the descriptor, still owned by this object
     */
    public Fd fd() {
        return fd;
    }

    /** Closes the set, not its descriptors. Does not wake a thread that waits. */
    @Override
    public void close() {
        fd.close();
    }
}
