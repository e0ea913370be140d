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
            Map.entry("FileLock", List.of("fcntl.h", "sys/file.h")),
            Map.entry("Futex", List.of("linux/futex.h")),
            Map.entry("Ioctl", List.of("linux/ioctl.h")),
            Map.entry("LockedMemory", List.of()),
            Map.entry("Mman", List.of("sys/mman.h")),
            Map.entry("Pagemap", List.of()),
            Map.entry("Poll", List.of("poll.h")),
            Map.entry("PortRange", List.of("sys/syscall.h")),
            Map.entry("ProcessMemory", List.of("sys/uio.h")),
            Map.entry("Syscall", List.of("sys/syscall.h")),
            Map.entry("ReservedPages", List.of("sys/mman.h")),
            Map.entry("UnixServerSocket", List.of("sys/stat.h")),
            Map.entry("UnixSocket", List.of("sys/socket.h", "sys/un.h", "sys/uio.h")),
            Map.entry("uapi.Iommufd", List.of("linux/iommufd.h", "linux/vfio.h")),
            Map.entry("uapi.PerfEvents", List.of("linux/perf_event.h")),
            Map.entry("uapi.Udmabuf", List.of("linux/udmabuf.h", "linux/dma-buf.h")),
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
            Map.entry("ProcessMemory.IOVEC_BYTES", "sizeof(struct iovec)"),
            Map.entry("ProcessMemory.LENGTH_OFFSET", "offsetof(struct iovec, iov_len)"),
            Map.entry("uapi.PerfEvents.ATTR_CONFIG", "offsetof(struct perf_event_attr, config)"),
            Map.entry("uapi.PerfEvents.ATTR_FLAGS", "offsetof(struct perf_event_attr, read_format) + 8"),
            Map.entry("uapi.PerfEvents.ATTR_SAMPLE_PERIOD", "offsetof(struct perf_event_attr, sample_period)"),
            Map.entry("uapi.PerfEvents.ATTR_SAMPLE_TYPE", "offsetof(struct perf_event_attr, sample_type)"),
            Map.entry("uapi.PerfEvents.ATTR_SIZE", "offsetof(struct perf_event_attr, size)"),
            Map.entry("uapi.PerfEvents.ATTR_TYPE", "offsetof(struct perf_event_attr, type)"),
            Map.entry("uapi.PerfEvents.ATTR_WAKEUP", "offsetof(struct perf_event_attr, wakeup_events)"),
            Map.entry("uapi.PerfEvents.HEADER_BYTES", "sizeof(struct perf_event_header)"),
            Map.entry("uapi.PerfEvents.HEADER_MISC", "offsetof(struct perf_event_header, misc)"),
            Map.entry("uapi.PerfEvents.HEADER_SIZE", "offsetof(struct perf_event_header, size)"),
            Map.entry("uapi.PerfEvents.PAGE_DATA_HEAD", "offsetof(struct perf_event_mmap_page, data_head)"),
            Map.entry("uapi.PerfEvents.PAGE_DATA_OFFSET", "offsetof(struct perf_event_mmap_page, data_offset)"),
            Map.entry("uapi.PerfEvents.PAGE_DATA_SIZE", "offsetof(struct perf_event_mmap_page, data_size)"),
            Map.entry("uapi.PerfEvents.PAGE_DATA_TAIL", "offsetof(struct perf_event_mmap_page, data_tail)"),
            Map.entry("ReservedPages.RESERVED", "MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE"));

    /** Constants that C does not define: Outboard's own, or inside the kernel. */
    static final List<String> OWN = List.of(
            "Affinity.CALLING_THREAD",
            "Affinity.MASK_BYTES",
            "DevicePages.MOST_LEFT_OVER",
            "DevicePages.ONES_BYTES",
            "Epoll.MAXIMUM_EVENTS",
            "Fd.CLOSED",
            "FileLock.SEEK_START",
            "LockedMemory.KIBIBYTE",
            "Prefetch.LINE_BYTES",
            "Mman$PageSize.BYTES",
            "Mman.NO_FILE",
            // admin-guide/mm/pagemap.rst; no header has them.
            "Pagemap.FRAME_BITS",
            "Pagemap.PRESENT_BIT",
            "Poll.NANOS_PER_MILLI",
            "PortRange.PORTS",
            "UnixServerSocket.BACKLOG",
            "UnixServerSocket.LOCK_TIMEOUT_MILLIS",
            "Futex.NANOS_PER_SECOND",
            "Futex.TIMESPEC_BYTES",
            // Bit-fields of struct perf_event_attr, which have no offset in C; their events show them.
            "uapi.PerfEvents.FLAG_COMM",
            "uapi.PerfEvents.FLAG_CONTEXT_SWITCH",
            "uapi.PerfEvents.FLAG_DISABLED",
            "uapi.PerfEvents.FLAG_EXCLUDE_HV",
            "uapi.PerfEvents.FLAG_EXCLUDE_KERNEL",
            "uapi.PerfEvents.FLAG_MMAP",
            "uapi.PerfEvents.FLAG_TASK",
            // SCM_MAX_FD of the kernel's include/net/scm.h, not exported.
            "UnixSocket.MAXIMUM_DESCRIPTORS");

    /** Which kernel's headers have it first, for what is newer than 6.1: a constant, a struct, or a class as a whole. */
    static final Map<String, Integer> SINCE = Map.of("uapi.Iommufd", version(6, 6));

    /** A kernel version as {@code LINUX_VERSION_CODE} gives it. */
    static int version(int major, int minor) {
        return (major << 16) + (minor << 8);
    }
}
