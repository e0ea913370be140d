package dev.outboard.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/**
 * The C functions. Every method follows the kernel's own convention: a result of zero or more is the result, a negative
 * one is the negated error number. {@code errno} is captured into a slot of the calling thread.
 *
 * <p>A signature costs the linker some 15 ms at start, half of what a program that opens a device needs; a second function
 * of the same signature costs next to nothing. So one signature serves all functions: up to three pointers, which keep
 * their memory alive through the call, then numbers. A number in the place of a pointer is passed as an address; numbers
 * that a function does not ask for are zeros that it does not look at; it uses what its parameter has of a register. All are
 * called as variadic, which some are: Linux's calling conventions pass integers and pointers the same way, and x86-64's adds
 * only how many vector registers are used, none. Pointers beyond the third are passed as addresses, whose memory the caller
 * keeps alive.
 */
final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");
    private static final Linker.Option VARIADIC = Linker.Option.firstVariadicArg(1);
    private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno")).withInvokeExactBehavior();
    // One slot a thread: a static one would be shared, an arena per call costs 30 ns.
    private static final ThreadLocal<MemorySegment> SLOT =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURED));

    private static final FunctionDescriptor SIGNATURE =
            FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private static final MethodHandle OPEN = function("open");
    private static final MethodHandle IOCTL = function("ioctl");
    private static final MethodHandle FCNTL = function("fcntl");
    private static final MethodHandle CLOSE = function("close");
    private static final MethodHandle READ = function("read");
    private static final MethodHandle WRITE = function("write");
    private static final MethodHandle PREAD = function("pread");
    private static final MethodHandle PWRITE = function("pwrite");
    private static final MethodHandle FTRUNCATE = function("ftruncate");
    private static final MethodHandle FCHMOD = function("fchmod");
    private static final MethodHandle FLOCK = function("flock");
    private static final MethodHandle MMAP = function("mmap");
    private static final MethodHandle MUNMAP = function("munmap");
    private static final MethodHandle MADVISE = function("madvise");
    private static final MethodHandle STATX = function("statx");
    private static final MethodHandle MEMFD_CREATE = function("memfd_create");
    private static final MethodHandle EVENTFD = function("eventfd");
    private static final MethodHandle EPOLL_CREATE1 = function("epoll_create1");
    private static final MethodHandle EPOLL_CTL = function("epoll_ctl");
    private static final MethodHandle EPOLL_WAIT = function("epoll_wait");
    private static final MethodHandle POLL = function("poll");
    private static final MethodHandle SOCKET = function("socket");
    private static final MethodHandle SOCKETPAIR = function("socketpair");
    private static final MethodHandle BIND = function("bind");
    private static final MethodHandle LISTEN = function("listen");
    private static final MethodHandle ACCEPT4 = function("accept4");
    private static final MethodHandle CONNECT = function("connect");
    private static final MethodHandle SHUTDOWN = function("shutdown");
    private static final MethodHandle SENDMSG = function("sendmsg");
    private static final MethodHandle RECVMSG = function("recvmsg");

    private Libc() {}

    /** Does what initialising this class does. */
    static void link() {}

    /** What few programs need, linked when it is needed. */
    private static final class Rare {
        static final MethodHandle SCHED_SETAFFINITY = function("sched_setaffinity");
        static final MethodHandle SCHED_GETAFFINITY = function("sched_getaffinity");
        static final MethodHandle STRERROR = function("strerror");
    }

    static MethodHandle function(String name) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), SIGNATURE, CAPTURE_ERRNO, VARIADIC);
    }

    // Compiled code finds the handles to be constants when it inlines these, as it does: they are small.

    private static long call(
            MethodHandle function, MemorySegment a, MemorySegment b, MemorySegment c, long d, long e, long f) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) function.invokeExact(slot, a, b, c, d, e, f), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long call(MethodHandle function, long a, long b, long c, long d, long e, long f) {
        return call(function, number(a), number(b), number(c), d, e, f);
    }

    private static long call(MethodHandle function, MemorySegment a, long b, long c) {
        return call(function, a, number(b), number(c), 0, 0, 0);
    }

    private static long call(MethodHandle function, long a, MemorySegment b, long c, long d) {
        return call(function, number(a), b, number(c), d, 0, 0);
    }

    private static long call(MethodHandle function, long a, long b, MemorySegment c) {
        return call(function, number(a), number(b), c, 0, 0, 0);
    }

    private static MemorySegment number(long value) {
        return MemorySegment.ofAddress(value);
    }

    /** Only the low half of an int result is defined; no byte count or address has −1 there. */
    private static long result(long returned, MemorySegment slot) {
        return (int) returned == -1 ? -(int) ERRNO.get(slot, 0L) : returned;
    }

    private static AssertionError unexpected(Throwable thrown) {
        if (thrown instanceof RuntimeException exception) {
            throw exception;
        }
        if (thrown instanceof Error error) {
            throw error;
        }
        return new AssertionError("a downcall threw a checked exception", thrown);
    }

    static int open(MemorySegment path, int flags, int mode) {
        return (int) call(OPEN, path, flags, mode);
    }

    static int close(int fd) {
        return (int) call(CLOSE, fd, 0, 0, 0, 0, 0);
    }

    static int ioctl(int fd, long request, MemorySegment argument) {
        return (int) call(IOCTL, fd, request, argument);
    }

    static int fcntl(int fd, int command, long argument) {
        return (int) call(FCNTL, fd, command, argument, 0, 0, 0);
    }

    static int fcntl(int fd, int command, MemorySegment argument) {
        return (int) call(FCNTL, fd, command, argument);
    }

    static int flock(int fd, int operation) {
        return (int) call(FLOCK, fd, operation, 0, 0, 0, 0);
    }

    static int fchmod(int fd, int mode) {
        return (int) call(FCHMOD, fd, mode, 0, 0, 0, 0);
    }

    static long read(int fd, MemorySegment buffer) {
        return call(READ, fd, buffer, buffer.byteSize(), 0);
    }

    static long write(int fd, MemorySegment buffer) {
        return call(WRITE, fd, buffer, buffer.byteSize(), 0);
    }

    static long pread(int fd, MemorySegment buffer, long offset) {
        return call(PREAD, fd, buffer, buffer.byteSize(), offset);
    }

    static long pwrite(int fd, MemorySegment buffer, long offset) {
        return call(PWRITE, fd, buffer, buffer.byteSize(), offset);
    }

    static int ftruncate(int fd, long length) {
        return (int) call(FTRUNCATE, fd, length, 0, 0, 0, 0);
    }

    static long mmap(long address, long length, int protection, int flags, int fd, long offset) {
        return call(MMAP, address, length, protection, flags, fd, offset);
    }

    static int munmap(long address, long length) {
        return (int) call(MUNMAP, address, length, 0, 0, 0, 0);
    }

    static int madvise(MemorySegment memory, int advice) {
        return (int) call(MADVISE, memory, memory.byteSize(), advice);
    }

    static int statx(int directory, MemorySegment path, int flags, int mask, MemorySegment status) {
        try {
            return (int) call(STATX, number(directory), path, number(flags), mask, status.address(), 0);
        } finally {
            Reference.reachabilityFence(status);
        }
    }

    static int memfdCreate(MemorySegment name, int flags) {
        return (int) call(MEMFD_CREATE, name, flags, 0);
    }

    static int eventfd(int initial, int flags) {
        return (int) call(EVENTFD, initial, flags, 0, 0, 0, 0);
    }

    static int epollCreate1(int flags) {
        return (int) call(EPOLL_CREATE1, flags, 0, 0, 0, 0, 0);
    }

    static int epollCtl(int epoll, int operation, int fd, MemorySegment event) {
        try {
            return (int) call(EPOLL_CTL, epoll, operation, fd, event.address(), 0, 0);
        } finally {
            Reference.reachabilityFence(event);
        }
    }

    static int epollWait(int epoll, MemorySegment events, int maximum, int timeoutMillis) {
        return (int) call(EPOLL_WAIT, epoll, events, maximum, timeoutMillis);
    }

    static int poll(MemorySegment descriptors, long count, int timeoutMillis) {
        return (int) call(POLL, descriptors, count, timeoutMillis);
    }

    static int socket(int domain, int type, int protocol) {
        return (int) call(SOCKET, domain, type, protocol, 0, 0, 0);
    }

    static int socketpair(int domain, int type, int protocol, MemorySegment pair) {
        try {
            return (int) call(SOCKETPAIR, domain, type, protocol, pair.address(), 0, 0);
        } finally {
            Reference.reachabilityFence(pair);
        }
    }

    static int bind(int fd, MemorySegment address) {
        return (int) call(BIND, fd, address, address.byteSize(), 0);
    }

    static int listen(int fd, int backlog) {
        return (int) call(LISTEN, fd, backlog, 0, 0, 0, 0);
    }

    static int accept4(int fd, int flags) {
        return (int) call(ACCEPT4, fd, MemorySegment.NULL, 0, flags);
    }

    static int connect(int fd, MemorySegment address) {
        return (int) call(CONNECT, fd, address, address.byteSize(), 0);
    }

    static int shutdown(int fd, int how) {
        return (int) call(SHUTDOWN, fd, how, 0, 0, 0, 0);
    }

    static long sendmsg(int fd, MemorySegment message, int flags) {
        return call(SENDMSG, fd, message, flags, 0);
    }

    static long recvmsg(int fd, MemorySegment message, int flags) {
        return call(RECVMSG, fd, message, flags, 0);
    }

    static int schedSetaffinity(int thread, MemorySegment mask) {
        return (int) call(Rare.SCHED_SETAFFINITY, thread, mask.byteSize(), mask);
    }

    static int schedGetaffinity(int thread, MemorySegment mask) {
        return (int) call(Rare.SCHED_GETAFFINITY, thread, mask.byteSize(), mask);
    }

    static String strerror(int errno) {
        try {
            long text = (long) Rare.STRERROR.invokeExact(SLOT.get(), number(errno), number(0), number(0), 0L, 0L, 0L);
            return MemorySegment.ofAddress(text).reinterpret(256).getString(0);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }
}
