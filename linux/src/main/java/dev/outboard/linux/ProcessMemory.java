package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * Another process's memory, read and written as a debugger does. It needs the right to trace that process
 * ({@code ptrace(2)}, "Ptrace access mode checking"): the same user and a dumpable process, or CAP_SYS_PTRACE.
 *
 * <p>There are two ways. {@link #ofProcess} copies with {@code process_vm_readv(2)} and {@code process_vm_writev(2)}: no
 * descriptor, and the other process's page protection holds. {@link #throughProc} uses {@code /proc/PID/mem}
 * ({@code proc(5)}): it also writes pages that the process itself may only read, such as code, and stays on the same
 * process after its pid was given to another.
 *
 * <p>Copies are not atomic: the process runs on. Buffers must be native segments that are not mappings of files that
 * somebody may truncate. Methods may be called from any thread.
 */
public final class ProcessMemory implements AutoCloseable {
    // <sys/uio.h>, struct iovec.
    private static final long IOVEC_BYTES = 16;
    private static final long LENGTH_OFFSET = 8;

    private static final String TRACE_ADVICE =
            "tracing that process is not allowed: run as its user or as root, and see"
                    + " /proc/sys/kernel/yama/ptrace_scope (0 lets a user trace all of his processes, 1 only children)";

    private final int pid;
    private final String name;
    private final @Nullable Fd file;

    private ProcessMemory(int pid, @Nullable Fd file) {
        this.pid = pid;
        this.file = file;
        name = file == null ? "process " + pid : file.name();
    }

    /**
     * The memory of a process, copied by {@code process_vm_readv(2)} and {@code process_vm_writev(2)}.
     *
     * @param pid the process
     * @return its memory; whether there is such a process shows when it is used
     */
    public static ProcessMemory ofProcess(long pid) {
        return new ProcessMemory(checked(pid), null);
    }

    /**
     * The memory of a process, through {@code /proc/PID/mem}.
     *
     * @param pid the process
     * @param writable whether to write too
     * @return its memory
     * @throws LinuxException ESRCH if there is no such process, EACCES or EPERM if it may not be traced
     */
    public static ProcessMemory throughProc(long pid, boolean writable) throws LinuxException {
        String path = "/proc/" + checked(pid) + "/mem";
        try {
            return new ProcessMemory((int) pid, Fd.open(path, writable ? Fd.O_RDWR : Fd.O_RDONLY));
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.ENOENT -> new LinuxException("open", path, Errno.ESRCH, "there is no process " + pid);
                case Errno.EACCES, Errno.EPERM -> e.withAdvice(TRACE_ADVICE);
                default -> e;
            };
        }
    }

    private static int checked(long pid) {
        if (pid <= 0 || pid > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(pid + " is no process id: give a number above 0");
        }
        return (int) pid;
    }

    /**
     * Reads bytes.
     *
     * @param address where from, in the process
     * @param into where to
     * @return how many bytes were read: fewer than asked for where mapped memory ends before
     * @throws LinuxException EFAULT if not one byte is readable there, ESRCH if the process is gone, EPERM if it may not
     *     be traced
     */
    public long read(long address, MemorySegment into) throws LinuxException {
        check(address, Fd.writable(into));
        if (into.byteSize() == 0) {
            return 0;
        }
        Fd mem = file;
        long result = mem == null ? transfer(address, into, true) : gone(Libc.pread(mem.number(), into, address));
        return checked(result, mem == null ? "process_vm_readv" : "pread", address, into.byteSize());
    }

    /**
     * Writes bytes.
     *
     * @param address where to, in the process
     * @param from the bytes
     * @return how many bytes were written: fewer than asked for where writable memory ends before
     * @throws LinuxException EFAULT if not one byte is writable there, ESRCH if the process is gone, EPERM if it may not
     *     be traced
     */
    public long write(long address, MemorySegment from) throws LinuxException {
        check(address, from);
        if (from.byteSize() == 0) {
            return 0;
        }
        Fd mem = file;
        long result = mem == null ? transfer(address, from, false) : gone(Libc.pwrite(mem.number(), from, address));
        return checked(result, mem == null ? "process_vm_writev" : "pwrite", address, from.byteSize());
    }

    /**
     * Reads all of some bytes.
     *
     * @param address where from, in the process
     * @param into where to
     * @throws LinuxException EFAULT if some of them are not readable: those before may have been read; else as
     *     {@link #read}
     */
    public void readFully(long address, MemorySegment into) throws LinuxException {
        for (long done = 0; done < into.byteSize(); ) {
            done += read(address + done, into.asSlice(done));
        }
    }

    /**
     * Writes all of some bytes.
     *
     * @param address where to, in the process
     * @param from the bytes
     * @throws LinuxException EFAULT if some of them are not writable: those before may have been written; else as
     *     {@link #write}
     */
    public void writeFully(long address, MemorySegment from) throws LinuxException {
        for (long done = 0; done < from.byteSize(); ) {
            done += write(address + done, from.asSlice(done));
        }
    }

    private long transfer(long address, MemorySegment local, boolean read) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment vectors = arena.allocate(2 * IOVEC_BYTES, Long.BYTES);
            vectors.set(ValueLayout.JAVA_LONG, 0, local.address());
            vectors.set(ValueLayout.JAVA_LONG, LENGTH_OFFSET, local.byteSize());
            vectors.set(ValueLayout.JAVA_LONG, IOVEC_BYTES, address);
            vectors.set(ValueLayout.JAVA_LONG, IOVEC_BYTES + LENGTH_OFFSET, local.byteSize());
            long own = vectors.address();
            long other = own + IOVEC_BYTES;
            return read ? Syscall.processVmReadv(pid, own, other) : Syscall.processVmWritev(pid, own, other);
        } finally {
            Reference.reachabilityFence(local);
        }
    }

    /** /proc/PID/mem of a process that ended is at its end everywhere. */
    private static long gone(long result) {
        return result == 0 ? -Errno.ESRCH : result == -Errno.EIO ? -Errno.EFAULT : result;
    }

    private long checked(long result, String call, long address, long length) throws LinuxException {
        if (result >= 0) {
            return result;
        }
        String subject = name + " at 0x" + Long.toHexString(address);
        throw new LinuxException(
                call,
                subject,
                (int) -result,
                switch ((int) -result) {
                    case Errno.ESRCH -> "the process is gone";
                    case Errno.EPERM, Errno.EACCES -> TRACE_ADVICE;
                    case Errno.EFAULT ->
                        "nothing is mapped there that may be accessed so, or " + length + " bytes go beyond; /proc/"
                                + pid + "/maps says what is mapped";
                    default -> "";
                });
    }

    private static void check(long address, MemorySegment local) {
        if (!local.isNative()) {
            throw new IllegalArgumentException("the buffer must be native memory: allocate it in an Arena");
        }
        if (address < 0 || address + local.byteSize() < 0) {
            throw new IllegalArgumentException("0x" + Long.toHexString(address) + " and " + local.byteSize()
                    + " bytes from there are no user addresses");
        }
        // Its lifetime and thread, which nobody checks behind a bare address.
        if (local.byteSize() > 0) {
            local.get(ValueLayout.JAVA_BYTE, 0);
        }
    }

    /** Closes the descriptor, if there is one. Closing twice is harmless. */
    @Override
    public void close() {
        if (file != null) {
            file.close();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
