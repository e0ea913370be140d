package dev.outboard.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The limit of memory that a process may keep from being moved and swapped: RLIMIT_MEMLOCK of {@code getrlimit(2)}. */
public final class LockedMemory {
    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Pattern LIMIT = Pattern.compile("(?m)^Max locked memory +(\\d+|unlimited) ");
    private static final Pattern LOCKED = Pattern.compile("(?m)^Vm(?:Lck|Pin):\\s*(\\d+) kB$");
    private static final long KIBIBYTE = 1024;

    private LockedMemory() {}

    /**
     * Explains a call that failed because it would have locked too much. mlock, VFIO and iommufd say so alike.
     *
     * @param failure the failed call
     * @param wantedBytes how many bytes it would have locked
     * @return the failure with advice if it may be the limit's, else the failure itself
     */
    public static LinuxException explain(LinuxException failure, long wantedBytes) {
        if (failure.errno() != Errno.ENOMEM && failure.errno() != Errno.EPERM && failure.errno() != Errno.EAGAIN) {
            return failure;
        }
        try {
            return explain(failure, wantedBytes, Files.readString(LIMITS), Files.readString(STATUS));
        } catch (IOException withoutProc) {
            return failure;
        }
    }

    /** As the files of /proc say: limits(5), status(5). */
    static LinuxException explain(LinuxException failure, long wantedBytes, String limits, String status) {
        Matcher limit = LIMIT.matcher(limits);
        String has = limit.find() ? limit.group(1) : "unlimited";
        long locked = LOCKED.matcher(status)
                .results()
                .mapToLong(line -> Long.parseLong(line.group(1)) * KIBIBYTE)
                .sum();
        String wants = wantedBytes + " bytes more were to be locked";
        if (has.equals("unlimited") || locked + wantedBytes <= Long.parseLong(has)) {
            return failure.withAdvice(wants + ", which the limit of locked memory (" + has + ", ulimit -l) allows;"
                    + " memory is short, or part of what was mapped is not there any more");
        }
        return failure.withAdvice(wants + " than the " + locked + " that are, and the limit of locked memory is " + has
                + "; raise it with ulimit -l unlimited (as root), in /etc/security/limits.conf (memlock), or in a"
                + " systemd unit (LimitMEMLOCK=infinity)");
    }
}
