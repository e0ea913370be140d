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
 */
final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");
    private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno")).withInvokeExactBehavior();
    // One slot a thread: a static one would be shared, an arena per call costs 30 ns.
    private static final ThreadLocal<MemorySegment> SLOT =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURED));

    private static final MethodHandle OPEN = variadic("open", 2, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle IOCTL = variadic("ioctl", 2, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
    private static final MethodHandle FCNTL = variadic("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle CLOSE = function("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle READ = function("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle WRITE = function("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle PREAD = function("pread", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle PWRITE = function("pwrite", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle FTRUNCATE = function("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle STATX =
            function("statx", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle MMAP =
            function("mmap", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle MADVISE = function("madvise", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle MUNMAP = function("munmap", JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle MEMFD_CREATE = function("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle EVENTFD = function("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle EPOLL_CREATE1 = function("epoll_create1", JAVA_INT, JAVA_INT);
    private static final MethodHandle EPOLL_CTL =
            function("epoll_ctl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle EPOLL_WAIT =
            function("epoll_wait", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle POLL = function("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle SOCKET = function("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle SOCKETPAIR =
            function("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle BIND = function("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle LISTEN = function("listen", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle ACCEPT4 = function("accept4", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
    private static final MethodHandle CONNECT = function("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle SHUTDOWN = function("shutdown", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle SENDMSG = function("sendmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle RECVMSG = function("recvmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle SCHED_SETAFFINITY =
            function("sched_setaffinity", JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
    private static final MethodHandle SCHED_GETAFFINITY =
            function("sched_getaffinity", JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
    private static final MethodHandle STRERROR = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

    private Libc() {}

    private static MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments), CAPTURE_ERRNO);
    }

    private static MethodHandle variadic(String name, int fixed, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(result, arguments),
                CAPTURE_ERRNO,
                Linker.Option.firstVariadicArg(fixed));
    }

    private static long result(long returned, MemorySegment slot) {
        return returned == -1 ? -(int) ERRNO.get(slot, 0L) : returned;
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
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) OPEN.invokeExact(slot, path, flags, mode), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int close(int fd) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) CLOSE.invokeExact(slot, fd), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int ioctl(int fd, long request, MemorySegment argument) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) IOCTL.invokeExact(slot, fd, request, argument), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int fcntl(int fd, int command, long argument) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) FCNTL.invokeExact(slot, fd, command, argument), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long read(int fd, MemorySegment buffer) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) READ.invokeExact(slot, fd, buffer, buffer.byteSize()), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long write(int fd, MemorySegment buffer) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) WRITE.invokeExact(slot, fd, buffer, buffer.byteSize()), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long pread(int fd, MemorySegment buffer, long offset) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) PREAD.invokeExact(slot, fd, buffer, buffer.byteSize(), offset), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long pwrite(int fd, MemorySegment buffer, long offset) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) PWRITE.invokeExact(slot, fd, buffer, buffer.byteSize(), offset), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int ftruncate(int fd, long length) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) FTRUNCATE.invokeExact(slot, fd, length), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long mmap(long address, long length, int protection, int flags, int fd, long offset) {
        MemorySegment slot = SLOT.get();
        try {
            return result(
                    (long) MMAP.invokeExact(
                            slot, MemorySegment.ofAddress(address), length, protection, flags, fd, offset),
                    slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int madvise(MemorySegment memory, int advice) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) MADVISE.invokeExact(slot, memory, memory.byteSize(), advice), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int munmap(long address, long length) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) MUNMAP.invokeExact(slot, MemorySegment.ofAddress(address), length), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int statx(int directory, MemorySegment path, int flags, int mask, MemorySegment result) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) STATX.invokeExact(slot, directory, path, flags, mask, result), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int memfdCreate(MemorySegment name, int flags) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) MEMFD_CREATE.invokeExact(slot, name, flags), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int eventfd(int initial, int flags) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) EVENTFD.invokeExact(slot, initial, flags), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int epollCreate1(int flags) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) EPOLL_CREATE1.invokeExact(slot, flags), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int epollCtl(int epoll, int operation, int fd, MemorySegment event) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) EPOLL_CTL.invokeExact(slot, epoll, operation, fd, event), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int epollWait(int epoll, MemorySegment events, int maximum, int timeoutMillis) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) EPOLL_WAIT.invokeExact(slot, epoll, events, maximum, timeoutMillis), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int poll(MemorySegment descriptors, long count, int timeoutMillis) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) POLL.invokeExact(slot, descriptors, count, timeoutMillis), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int socket(int domain, int type, int protocol) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) SOCKET.invokeExact(slot, domain, type, protocol), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int socketpair(int domain, int type, int protocol, MemorySegment pair) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) SOCKETPAIR.invokeExact(slot, domain, type, protocol, pair), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int bind(int fd, MemorySegment address) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) BIND.invokeExact(slot, fd, address, (int) address.byteSize()), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int listen(int fd, int backlog) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) LISTEN.invokeExact(slot, fd, backlog), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int accept4(int fd, int flags) {
        MemorySegment slot = SLOT.get();
        try {
            return (int)
                    result((int) ACCEPT4.invokeExact(slot, fd, MemorySegment.NULL, MemorySegment.NULL, flags), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int connect(int fd, MemorySegment address) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) CONNECT.invokeExact(slot, fd, address, (int) address.byteSize()), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int shutdown(int fd, int how) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) SHUTDOWN.invokeExact(slot, fd, how), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long sendmsg(int fd, MemorySegment message, int flags) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) SENDMSG.invokeExact(slot, fd, message, flags), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static long recvmsg(int fd, MemorySegment message, int flags) {
        MemorySegment slot = SLOT.get();
        try {
            return result((long) RECVMSG.invokeExact(slot, fd, message, flags), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int schedSetaffinity(int thread, MemorySegment mask) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) SCHED_SETAFFINITY.invokeExact(slot, thread, mask.byteSize(), mask), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static int schedGetaffinity(int thread, MemorySegment mask) {
        MemorySegment slot = SLOT.get();
        try {
            return (int) result((int) SCHED_GETAFFINITY.invokeExact(slot, thread, mask.byteSize(), mask), slot);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    static String strerror(int errno) {
        try {
            MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
            return text.reinterpret(256).getString(0);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }
}
