package dev.outboard.linux;

import java.io.IOException;

/** A system call that failed: which call, on what, and why. */
public class LinuxException extends IOException {
    private static final long serialVersionUID = 1L;

    /** The call's name, as in its manual page. */
    private final String call;
    /** What it was called on. */
    private final String subject;
    /** The error number. */
    private final int errno;

    /**
     * Creates the exception for one failed call.
     *
     * @param call the call's name, as in its manual page; for an ioctl also the request: {@code "ioctl VFIO_SET_IOMMU"}
     * @param subject the path, or what the descriptor stands for
     * @param errno the error number, positive
     */
    public LinuxException(String call, String subject, int errno) {
        this(call, subject, errno, "");
    }

    /**
     * Creates the exception for one failed call, with advice.
     *
     * @param call the call's name, as in its manual page
     * @param subject the path, or what the descriptor stands for
     * @param errno the error number, positive
     * @param advice what the reader can do about it, as the end of the message; empty for none
     */
    public LinuxException(String call, String subject, int errno, String advice) {
        super(call + " " + subject + ": " + Errno.describe(errno) + " (" + Errno.name(errno) + ")"
                + (advice.isEmpty() ? "" : "; " + advice));
        this.call = call;
        this.subject = subject;
        this.errno = errno;
    }

    /**
     * The failed call.
     *
     * @return its name, as in its manual page
     */
    public String call() {
        return call;
    }

    /**
     * What the call was made on.
     *
     * @return the path, or what the descriptor stands for
     */
    public String subject() {
        return subject;
    }

    /**
     * Why the call failed.
     *
     * @return the error number, one of {@link Errno}'s
     */
    public int errno() {
        return errno;
    }

    /**
     * The same failure, with advice for the reader.
     *
     * @param advice what the reader can do about it
     * @return a new exception, whose cause is this one
     */
    public LinuxException withAdvice(String advice) {
        LinuxException advised = new LinuxException(call, subject, errno, advice);
        advised.initCause(this);
        return advised;
    }

    /**
     * Checks the result of a call by the kernel's own convention.
     *
     * @param result what the call returned: negative is the negated error number
     * @param call the call's name
     * @param subject what it was called on
     * @return the result, if it is not negative
     * @throws LinuxException if it is
     */
    static long check(long result, String call, String subject) throws LinuxException {
        if (result < 0) {
            throw new LinuxException(call, subject, (int) -result);
        }
        return result;
    }
}
