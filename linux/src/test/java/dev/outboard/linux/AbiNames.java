package dev.outboard.linux;

import java.util.List;
import java.util.Map;

/** What {@link AbiProbeTest} cannot know by itself: where C defines things, and what it calls them. */
final class AbiNames {
    private AbiNames() {}

    /** The headers of each class of constants. A class of this room that has constants must be here. */
    static final Map<String, List<String>> HEADERS = Map.ofEntries(
            Map.entry("Affinity", List.of("sched.h")),
            Map.entry("Epoll", List.of("sys/epoll.h")),
            Map.entry("Errno", List.of("errno.h")),
            Map.entry("EventFd", List.of("sys/eventfd.h")),
            Map.entry("Fd", List.of("fcntl.h", "sys/mman.h", "sys/stat.h")),
            Map.entry("Ioctl", List.of("linux/ioctl.h")),
            Map.entry("Mman", List.of("sys/mman.h")),
            Map.entry("Poll", List.of("poll.h")),
            Map.entry("ReservedPages", List.of("sys/mman.h")),
            Map.entry("UnixServerSocket", List.of("sys/stat.h")),
            Map.entry("UnixSocket", List.of("sys/socket.h", "sys/un.h", "sys/uio.h")),
            Map.entry("uapi.Vfio", List.of("linux/vfio.h")));

    /** C's expression for constants that have another name here. */
    static final Map<String, String> EXPRESSIONS = Map.ofEntries(
            Map.entry("Epoll.DATA_OFFSET", "offsetof(struct epoll_event, data)"),
            Map.entry("Epoll.EVENT_BYTES", "sizeof(struct epoll_event)"),
            Map.entry("Fd.STATX_BYTES", "sizeof(struct statx)"),
            Map.entry("Fd.STX_MODE_OFFSET", "offsetof(struct statx, stx_mode)"),
            Map.entry("Fd.STX_SIZE_OFFSET", "offsetof(struct statx, stx_size)"),
            Map.entry("Ioctl.DIRECTION_SHIFT", "_IOC_DIRSHIFT"),
            Map.entry("Ioctl.READ", "_IOC_READ"),
            Map.entry("Ioctl.SIZE_SHIFT", "_IOC_SIZESHIFT"),
            Map.entry("Ioctl.TYPE_SHIFT", "_IOC_TYPESHIFT"),
            Map.entry("Ioctl.WRITE", "_IOC_WRITE"),
            Map.entry("Poll.EVENTS_OFFSET", "offsetof(struct pollfd, events)"),
            Map.entry("Poll.POLLFD_BYTES", "sizeof(struct pollfd)"),
            Map.entry("Poll.RETURNED_OFFSET", "offsetof(struct pollfd, revents)"),
            Map.entry("ReservedPages.RESERVED", "MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE"));

    /** Constants that C does not define: Outboard's own, or inside the kernel. */
    static final List<String> OWN = List.of(
            "Affinity.CALLING_THREAD",
            "Affinity.MASK_BYTES",
            "Epoll.MAXIMUM_EVENTS",
            "Fd.CLOSED",
            "Mman$PageSize.BYTES",
            "Mman.NO_FILE",
            "Poll.NANOS_PER_MILLI",
            "UnixServerSocket.BACKLOG",
            // SCM_MAX_FD of the kernel's include/net/scm.h, not exported.
            "UnixSocket.MAXIMUM_DESCRIPTORS");

    /** Which kernel's headers have it first, for what is newer than 6.1: a constant, a struct, or a class as a whole. */
    static final Map<String, Integer> SINCE = Map.of();

    /** A kernel version as {@code LINUX_VERSION_CODE} gives it. */
    static int version(int major, int minor) {
        return (major << 16) + (minor << 8);
    }
}
