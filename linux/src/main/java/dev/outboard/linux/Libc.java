package dev.outboard.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The C functions. Every method follows the kernel's own convention: a result of zero or more is the result, a negative
 * one is the negated error number. {@code errno} is captured into a slot of the calling thread.
 *
 * <p>A signature costs the linker some 5 ms at start, a second function of the same signature next to nothing. So a few
 * signatures serve all functions: a number is passed as a {@code long} (in a register, of which the callee uses what its
 * parameter has), and numbers that a function does not ask for are zeros that it does not look at.
 */
final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");
    private static final Linker.Option VARIADIC_FROM_THIRD = Linker.Option.firstVariadicArg(2);
    private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno")).withInvokeExactBehavior();
    // One slot a thread: a static one would be shared, an arena per call costs 30 ns.
    private static final ThreadLocal<MemorySegment> SLOT =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURED));

    // The signatures, named by where the pointer is.
    static final FunctionDescriptor NO_POINTER =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor FIRST = FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor SECOND =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor THIRD = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS);
    private static final FunctionDescriptor FOURTH =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS);

    private static final MethodHandle OPEN = function("open", FIRST, CAPTURE_ERRNO, VARIADIC_FROM_THIRD);
    private static final MethodHandle IOCTL = function("ioctl", THIRD, CAPTURE_ERRNO, VARIADIC_FROM_THIRD);
    private static final MethodHandle FCNTL = function("fcntl", THIRD, CAPTURE_ERRNO, VARIADIC_FROM_THIRD);
    private static final MethodHandle CLOSE = function("close", NO_POINTER);
    private static final MethodHandle READ = function("read", SECOND);
    private static final MethodHandle WRITE = function("write", SECOND);
    private static final MethodHandle PREAD = function("pread", SECOND);
    private static final MethodHandle PWRITE = function("pwrite", SECOND);
    private static final MethodHandle FTRUNCATE = function("ftruncate", NO_POINTER);
    private static final MethodHandle FCHMOD = function("fchmod", NO_POINTER);
    private static final MethodHandle FLOCK = function("flock", NO_POINTER);
    private static final MethodHandle MMAP = function("mmap", NO_POINTER);
    private static final MethodHandle MUNMAP = function("munmap", NO_POINTER);
    private static final MethodHandle MADVISE = function("madvise", FIRST);
    private static final MethodHandle MEMFD_CREATE = function("memfd_create", FIRST);
    private static final MethodHandle EVENTFD = function("eventfd", NO_POINTER);
    private static final MethodHandle EPOLL_CREATE1 = function("epoll_create1", NO_POINTER);
    private static final MethodHandle EPOLL_CTL = function("epoll_ctl", FOURTH);
    private static final MethodHandle EPOLL_WAIT = function("epoll_wait", SECOND);
    private static final MethodHandle POLL = function("poll", FIRST);
    private static final MethodHandle SOCKET = function("socket", NO_POINTER);
    private static final MethodHandle SOCKETPAIR = function("socketpair", FOURTH);
    private static final MethodHandle BIND = function("bind", SECOND);
    private static final MethodHandle LISTEN = function("listen", NO_POINTER);
    private static final MethodHandle ACCEPT4 = function("accept4", SECOND);
    private static final MethodHandle CONNECT = function("connect", SECOND);
    private static final MethodHandle SHUTDOWN = function("shutdown", NO_POINTER);
    private static final MethodHandle SENDMSG = function("sendmsg", SECOND);
    private static final MethodHandle RECVMSG = function("recvmsg", SECOND);

    private Libc() {}

    /** What few programs need, linked when it is needed. */
    private static final class Rare {
        static final MethodHandle SCHED_SETAFFINITY = function("sched_setaffinity", THIRD);
        static final MethodHandle SCHED_GETAFFINITY = function("sched_getaffinity", THIRD);
        static final MethodHandle STRERROR = LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));
    }

    static MethodHandle function(String name, FunctionDescriptor signature) {
        return function(name, signature, CAPTURE_ERRNO);
    }

    static MethodHandle function(String name, FunctionDescriptor signature, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), signature, options);
    }

    /** Apart from the rest: the one function with two pointers. */
    private static final class Statx {
        static final MethodHandle STATX =
                function("statx", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS));
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

    private static long call(MethodHandle function, long a, long b, long c, MemorySegment d) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) function.invokeExact(slot, a, b, c, d), slot);
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
        MemorySegment slot = SLOT.get();
        try {
            long returned =
                    (long) Statx.STATX.invokeExact(slot, (long) directory, path, (long) flags, (long) mask, status);
            return (int) result(returned, slot);
        } catch (Throwable t) {
            throw unexpected(t);
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
        return (int) call(EPOLL_CTL, epoll, operation, fd, event);
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
        return (int) call(SOCKETPAIR, domain, type, protocol, pair);
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
            MemorySegment text = (MemorySegment) Rare.STRERROR.invokeExact(errno);
            return text.reinterpret(256).getString(0);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }
}
