package dev.outboard.linux;

import dev.outboard.linux.uapi.PerfEvents;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/** Opens performance events: {@code perf_event_open(2)}. */
public final class PerfEvent {
    private PerfEvent() {}

    /**
     * Opens an event.
     *
     * @param attributes a {@code struct perf_event_attr}, see {@link PerfEvents}
     * @param pid the process or thread to watch; 0 for the calling thread, −1 for all
     * @param cpu the processor to watch; −1 for any
     * @return the event's descriptor: to be mapped, polled, and told {@link PerfEvents#PERF_EVENT_IOC_ENABLE}
     * @throws LinuxException EACCES or EPERM if that is not allowed, ENOENT or EOPNOTSUPP if the machine has no such
     *     event, EINVAL if the attributes contradict one another
     */
    public static Fd open(MemorySegment attributes, int pid, int cpu) throws LinuxException {
        if (!attributes.isNative() || attributes.byteSize() < PerfEvents.PERF_ATTR_SIZE_VER0) {
            throw new IllegalArgumentException("the attributes must be native memory of at least "
                    + PerfEvents.PERF_ATTR_SIZE_VER0 + " bytes, not " + attributes);
        }
        String subject = "pid " + pid + ", CPU " + cpu;
        int result;
        try {
            result = Syscall.perfEventOpen(attributes.address(), pid, cpu, -1, PerfEvents.PERF_FLAG_FD_CLOEXEC);
        } finally {
            Reference.reachabilityFence(attributes);
        }
        if (result == -Errno.EACCES || result == -Errno.EPERM) {
            throw new LinuxException(
                    "perf_event_open",
                    subject,
                    -result,
                    "lower /proc/sys/kernel/perf_event_paranoid (2 allows user-space events of own processes), or give"
                            + " the program CAP_PERFMON");
        }
        return Fd.of((int) LinuxException.check(result, "perf_event_open", subject), "perf event of " + subject);
    }
}
