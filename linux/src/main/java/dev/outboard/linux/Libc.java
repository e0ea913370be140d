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
 * <p>A signature costs the linker some 5 ms at start, a second function of the same signature next to nothing. So a few
 * signatures serve all functions: a number is passed as a {@code long} (in a register, of which the callee uses what its
 * parameter has), and numbers that a function does not ask for are zeros that it does not look at. Functions of a signature
 * are called as variadic where one of them is: Linux's calling conventions pass integers and pointers the same way, and
 * x86-64's adds only how many vector registers are used, none. Pointers for which there is no signature are passed as
 * addresses, whose memory the caller keeps alive.
 */
final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");
    private static final Linker.Option VARIADIC_FROM_SECOND = Linker.Option.firstVariadicArg(1);
    private static final Linker.Option VARIADIC_FROM_THIRD = Linker.Option.firstVariadicArg(2);
    private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno")).withInvokeExactBehavior();
    // One slot a thread: a static one would be shared, an arena per call costs 30 ns.
    private static final ThreadLocal<MemorySegment> SLOT =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURED));

    // The signatures, named by where the pointer is.
    private static final FunctionDescriptor NO_POINTER =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor FIRST = FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor SECOND =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor THIRD = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS);

    private static final MethodHandle OPEN = first("open");
    private static final MethodHandle IOCTL = third("ioctl");
    private static final MethodHandle FCNTL = third("fcntl");
    private static final MethodHandle CLOSE = numbers("close");
    private static final MethodHandle READ = second("read");
    private static final MethodHandle WRITE = second("write");
    private static final MethodHandle PREAD = second("pread");
    private static final MethodHandle PWRITE = second("pwrite");
    private static final MethodHandle FTRUNCATE = numbers("ftruncate");
    private static final MethodHandle FCHMOD = numbers("fchmod");
    private static final MethodHandle FLOCK = numbers("flock");
    private static final MethodHandle MMAP = numbers("mmap");
    private static final MethodHandle MUNMAP = numbers("munmap");
    private static final MethodHandle MADVISE = first("madvise");
    private static final MethodHandle STATX = numbers("statx");
    private static final MethodHandle MEMFD_CREATE = first("memfd_create");
    private static final MethodHandle EVENTFD = numbers("eventfd");
    private static final MethodHandle EPOLL_CREATE1 = numbers("epoll_create1");
    private static final MethodHandle EPOLL_CTL = numbers("epoll_ctl");
    private static final MethodHandle EPOLL_WAIT = second("epoll_wait");
    private static final MethodHandle POLL = first("poll");
    private static final MethodHandle SOCKET = numbers("socket");
    private static final MethodHandle SOCKETPAIR = numbers("socketpair");
    private static final MethodHandle BIND = second("bind");
    private static final MethodHandle LISTEN = numbers("listen");
    private static final MethodHandle ACCEPT4 = second("accept4");
    private static final MethodHandle CONNECT = second("connect");
    private static final MethodHandle SHUTDOWN = numbers("shutdown");
    private static final MethodHandle SENDMSG = second("sendmsg");
    private static final MethodHandle RECVMSG = second("recvmsg");

    private Libc() {}

    /** Does what initialising this class does. */
    static void link() {}

    /** What few programs need, linked when it is needed. */
    private static final class Rare {
        static final MethodHandle SCHED_SETAFFINITY = third("sched_setaffinity");
        static final MethodHandle SCHED_GETAFFINITY = third("sched_getaffinity");
        static final MethodHandle STRERROR = numbers("strerror");
    }

    /** A function of numbers. */
    static MethodHandle numbers(String name) {
        return function(name, NO_POINTER, CAPTURE_ERRNO, VARIADIC_FROM_SECOND);
    }

    private static MethodHandle first(String name) {
        return function(name, FIRST, CAPTURE_ERRNO, VARIADIC_FROM_THIRD);
    }

    private static MethodHandle second(String name) {
        return function(name, SECOND, CAPTURE_ERRNO);
    }

    private static MethodHandle third(String name) {
        return function(name, THIRD, CAPTURE_ERRNO, VARIADIC_FROM_THIRD);
    }

    private static MethodHandle function(String name, FunctionDescriptor signature, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), signature, options);
    }

    // Compiled code finds the handles to be constants when it inlines these, as it does: they are small.

    static long call(MethodHandle function, long a, long b, long c, long d, long e, long f) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) function.invokeExact(slot, a, b, c, d, e, f), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static long call(MethodHandle function, MemorySegment a, long b, long c) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) function.invokeExact(slot, a, b, c), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static long call(MethodHandle function, long a, MemorySegment b, long c, long d) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) function.invokeExact(slot, a, b, c, d), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static long call(MethodHandle function, long a, long b, MemorySegment c) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) function.invokeExact(slot, a, b, c), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
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
        return (int) call(FCNTL, fd, command, MemorySegment.ofAddress(argument));
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
            return (int) call(STATX, directory, path.address(), flags, mask, status.address(), 0);
        } finally {
            Reference.reachabilityFence(path);
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
            long text = (long) Rare.STRERROR.invokeExact(SLOT.get(), (long) errno, 0L, 0L, 0L, 0L, 0L);
            return MemorySegment.ofAddress(text).reinterpret(256).getString(0);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }
}
