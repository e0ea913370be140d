package dev.outboard.peripherals;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.PortRange;
import dev.outboard.memory.Claim;
import dev.outboard.memory.ClaimTarget;
import dev.outboard.memory.ClaimedException;
import dev.outboard.memory.Claims;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.memory.RegisterFile;
import dev.outboard.memory.Registers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * A range of I/O ports: by the processor's instructions in 8, 16 and 32 bits, after {@code ioperm(2)}; where that does not
 * work, through /dev/port in bytes. Needs root.
 *
 * <p>The range is claimed until it is closed, so that nobody has a PCI function whose BAR lies there. Safe for use by
 * several threads.
 */
public final class IoPorts implements AutoCloseable {
    private static final String FILE = "/dev/port";
    private static final String NOT_PERMITTED = "it takes root with CAP_SYS_RAWIO, which containers lack, and a kernel"
            + " that is not locked down (Secure Boot; see /sys/kernel/security/lockdown)";

    private final Claim claim;
    private final Runnable release;
    private final boolean wide;
    private final Registers registers;
    private volatile boolean closed;
    private volatile boolean sawAllOnes;

    private interface In {
        long read(long port, int widthBytes) throws LinuxException;
    }

    private interface Out {
        void write(long port, int widthBytes, long value) throws LinuxException;
    }

    private IoPorts(int first, int count, boolean wide, In in, Out out, Claim claim, Runnable release) {
        this.wide = wide;
        this.claim = claim;
        this.release = release;
        RegisterAccess access = new RegisterAccess() {
            @Override
            public long read(long port, int widthBytes) {
                checkAccess(widthBytes);
                try {
                    return in.read(port, widthBytes);
                } catch (LinuxException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public void write(long port, int widthBytes, long value) {
                checkAccess(widthBytes);
                try {
                    out.write(port, widthBytes, value);
                } catch (LinuxException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
        // A part of all ports, so that a port's own number decides whether it is aligned.
        registers = Registers.unmapped("I/O ports", PortRange.PORTS, access, List.of(), () -> sawAllOnes = true)
                .slice(first, count);
    }

    /**
     * Opens a range of ports.
     *
     * @param first the first port
     * @param count how many, at least 1
     * @return the ports
     * @throws DeviceBusyException if somebody has claimed them, or a device of them
     * @throws IOException if this user or this machine does not allow it; the message says what to do
     * @throws IllegalArgumentException if there are no such ports
     */
    public static IoPorts open(int first, int count) throws IOException {
        Claim claim = claim(first, count);
        try {
            try {
                return instructions(first, count, claim);
            } catch (LinuxException e) {
                try {
                    return file(first, count, claim);
                } catch (LinuxException neither) {
                    // No file of that name says less than a permission that is refused.
                    throw neither.errno() == Errno.ENOENT && e.errno() == Errno.EPERM
                            ? e.withAdvice(NOT_PERMITTED)
                            : neither;
                }
            }
        } catch (IOException | RuntimeException e) {
            claim.close();
            throw e;
        }
    }

    /** The same through /dev/port, whether or not there is a better way. */
    static IoPorts openFile(int first, int count) throws IOException {
        Claim claim = claim(first, count);
        try {
            return file(first, count, claim);
        } catch (IOException | RuntimeException e) {
            claim.close();
            throw e;
        }
    }

    private static Claim claim(int first, int count) throws IOException {
        if (first < 0 || count < 1 || first > PortRange.PORTS - count) {
            throw new IllegalArgumentException(
                    "no range of I/O ports: " + count + " from " + first + "; there are 65536, from 0 on");
        }
        try {
            return Claims.system().claim(ClaimTarget.range(ClaimTarget.PORTS, first, count));
        } catch (ClaimedException e) {
            throw new DeviceBusyException(e);
        }
    }

    private static IoPorts instructions(int first, int count, Claim claim) throws LinuxException {
        PortRange ports = PortRange.permit(first, count);
        return new IoPorts(
                first,
                count,
                true,
                (port, widthBytes) -> ports.in((int) port, widthBytes),
                (port, widthBytes, value) -> ports.out((int) port, widthBytes, value),
                claim,
                () -> {});
    }

    private static IoPorts file(int first, int count, Claim claim) throws LinuxException {
        Fd fd;
        try {
            fd = Fd.open(FILE, Fd.O_RDWR);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.EACCES -> e.withAdvice("only root reaches I/O ports: use sudo");
                case Errno.EPERM -> e.withAdvice(NOT_PERMITTED);
                case Errno.ENOENT, Errno.ENXIO ->
                    e.withAdvice("this machine or kernel has no I/O ports (CONFIG_DEVPORT)");
                default -> e;
            };
        }
        RegisterFile file = new RegisterFile(fd);
        return new IoPorts(first, count, false, file::read, file::write, claim, fd::close);
    }

    private void checkAccess(int widthBytes) {
        if (closed) {
            throw new IllegalStateException(registers + " are closed");
        }
        if (widthBytes == Long.BYTES) {
            throw new IllegalArgumentException("I/O ports are accessed in 8, 16 or 32 bits, not in 64");
        }
        if (widthBytes > Byte.BYTES && !wide) {
            throw new IllegalArgumentException(
                    FILE + " moves bytes alone, and ioperm(2) is refused here; access I/O ports"
                            + " in 8 bits, or run as root on x86-64 outside of a container");
        }
    }

    /**
     * The ports. Offset 0 is the first; a port's own number must be a multiple of the width. 16 and 32 bits throw
     * {@link IllegalArgumentException} where only bytes can be moved.
     *
     * @return the registers, not mapped
     */
    public Registers registers() {
        return registers;
    }

    /**
     * The widest access.
     *
     * @return 32, or 8 if only bytes can be moved
     */
    public int widestBits() {
        return wide ? Integer.SIZE : Byte.SIZE;
    }

    /**
     * Whether a read returned all ones, as it does where no device answers.
     *
     * @return whether one did so far
     */
    public boolean sawAllOnes() {
        return sawAllOnes;
    }

    /** Gives the ports up. Closing twice is harmless; accesses afterwards are refused. */
    @Override
    public void close() {
        closed = true;
        release.run();
        claim.close();
    }

    @Override
    public String toString() {
        return registers.toString();
    }
}
