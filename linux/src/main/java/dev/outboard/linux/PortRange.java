package dev.outboard.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * I/O ports of x86-64, read and written by the processor's own instructions in exact widths: {@code ioperm(2)},
 * {@code inb(2)}. Needs CAP_SYS_RAWIO.
 *
 * <p>The kernel gives the permission to threads, one by one: each gets it with its first access, and keeps it. A virtual
 * thread asks with every access, since the next one may run on another thread of the kernel. Safe for use by several
 * threads.
 */
public final class PortRange {
    /** How many ports there are. */
    public static final int PORTS = 0x10000;

    private static final int SYS_ioperm = 173;
    private static final boolean X86_64 = "amd64".equals(System.getProperty("os.arch"));
    private static final FunctionDescriptor SIGNATURE =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static @Nullable Instructions instructions;

    private final int first;
    private final int count;
    private final Instructions code;
    private final ThreadLocal<Boolean> permitted = ThreadLocal.withInitial(() -> false);

    private PortRange(int first, int count, Instructions code) {
        this.first = first;
        this.count = count;
        this.code = code;
    }

    /**
     * The ports of a range, if the kernel permits them. {@code ioperm(2)}.
     *
     * @param first the first port
     * @param count how many, at least 1
     * @return the ports
     * @throws LinuxException EPERM without CAP_SYS_RAWIO, or if the kernel is locked down; ENOSYS if the processor or the
     *     kernel has no port instructions for programs; EACCES if this process may not make code executable
     * @throws IndexOutOfBoundsException if there are no such ports
     */
    public static PortRange permit(int first, int count) throws LinuxException {
        Objects.checkFromIndexSize(first, count, PORTS);
        if (count == 0) {
            throw new IndexOutOfBoundsException("a range of no ports");
        }
        if (!X86_64) {
            throw new LinuxException("ioperm", name(first, count), Errno.ENOSYS);
        }
        PortRange range = new PortRange(first, count, loaded());
        LinuxException.check(Syscall.ioperm(SYS_ioperm, first, count), "ioperm", name(first, count));
        return range;
    }

    private static String name(int first, int count) {
        return "ports 0x%x-0x%x".formatted(first, first + count - 1);
    }

    private static synchronized Instructions loaded() throws LinuxException {
        Instructions known = instructions;
        if (known == null) {
            known = Instructions.load();
            instructions = known;
        }
        return known;
    }

    /**
     * Reads a port, in one instruction.
     *
     * @param port the port
     * @param widthBytes 1, 2 or 4
     * @return the value, zero-extended
     * @throws LinuxException if the kernel does not permit this thread what it permitted another
     */
    public long in(int port, int widthBytes) throws LinuxException {
        MethodHandle instruction = switch (widthBytes) {
            case Byte.BYTES -> code.in8;
            case Short.BYTES -> code.in16;
            case Integer.BYTES -> code.in32;
            default -> throw noSuchWidth(widthBytes);
        };
        return access(instruction, port, widthBytes, 0);
    }

    /**
     * Writes a port, in one instruction.
     *
     * @param port the port
     * @param widthBytes 1, 2 or 4
     * @param value the value in the low bits; the others are ignored
     * @throws LinuxException if the kernel does not permit this thread what it permitted another
     */
    public void out(int port, int widthBytes, long value) throws LinuxException {
        MethodHandle instruction = switch (widthBytes) {
            case Byte.BYTES -> code.out8;
            case Short.BYTES -> code.out16;
            case Integer.BYTES -> code.out32;
            default -> throw noSuchWidth(widthBytes);
        };
        access(instruction, port, widthBytes, value);
    }

    private static IllegalArgumentException noSuchWidth(int widthBytes) {
        return new IllegalArgumentException("a port is accessed in 8, 16 or 32 bits, not in " + widthBytes * Byte.SIZE);
    }

    private long access(MethodHandle instruction, int port, int widthBytes, long value) throws LinuxException {
        Objects.checkFromIndexSize((long) port - first, widthBytes, count);
        // Asked for in the same call as the access: in between a virtual thread could change its thread of the kernel,
        // and an access without permission kills the process.
        boolean ask = Thread.currentThread().isVirtual() || !permitted.get();
        long result;
        try {
            result = (long) instruction.invokeExact((long) port, value, (long) first, ask ? (long) count : 0L);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError("a downcall threw a checked exception", t);
        }
        LinuxException.check(result, "ioperm", name(first, count));
        if (ask && !Thread.currentThread().isVirtual()) {
            permitted.set(true);
        }
        return result;
    }

    /**
     * The routines: {@code long f(port, value, first, count)}, which ask for the ports first if the count is not 0, and
     * return what was read, or a negated error number.
     */
    private record Instructions(
            MethodHandle in8,
            MethodHandle in16,
            MethodHandle in32,
            MethodHandle out8,
            MethodHandle out16,
            MethodHandle out32) {
        private static final HexFormat HEX = HexFormat.of();

        /** Intel 64 manual, volume 2; System V ABI, 3.2.3: arguments in rdi, rsi, rdx, rcx. */
        private static final String ASK_IF_TOLD = "85c9" // test ecx, ecx
                + "7421" // jz to the instruction after js
                + "4189f8" // mov r8d, edi: the port, which the system call does not change there
                + "4189f1" // mov r9d, esi: the value
                + "89d7" // mov edi, edx: ioperm's first port
                + "89ce" // mov esi, ecx: how many
                + "ba01000000" // mov edx, 1: permit
                + "b8" + HEX.toHexDigits(Integer.reverseBytes(SYS_ioperm)) // mov eax, SYS_ioperm
                + "0f05" // syscall
                + "4489c7" // mov edi, r8d
                + "4489ce" // mov esi, r9d
                + "4885c0" // test rax, rax
                + "78"; // js to ret, with the error number in rax

        private static final String PORT_TO_DX = "89fa"; // mov edx, edi
        private static final String RETURN = "c3";
        private static final String CLEAR = "31c0"; // xor eax, eax
        private static final String VALUE_TO_EAX = "89f0"; // mov eax, esi

        static Instructions load() throws LinuxException {
            byte[][] routines = {
                routine(CLEAR + "ec"), // in al, dx
                routine(CLEAR + "66ed"), // in ax, dx
                routine("ed"), // in eax, dx: clears the high half of rax
                routine(VALUE_TO_EAX + "ee" + CLEAR), // out dx, al
                routine(VALUE_TO_EAX + "66ef" + CLEAR), // out dx, ax
                routine(VALUE_TO_EAX + "ef" + CLEAR), // out dx, eax
            };
            MethodHandle[] handles = new MethodHandle[routines.length];
            for (int i = 0; i < routines.length; i++) {
                handles[i] = Linker.nativeLinker().downcallHandle(MachineCode.load(routines[i]), SIGNATURE);
            }
            return new Instructions(handles[0], handles[1], handles[2], handles[3], handles[4], handles[5]);
        }

        private static byte[] routine(String access) {
            byte distance = (byte) ((PORT_TO_DX + access).length() / 2);
            return HEX.parseHex(ASK_IF_TOLD + HEX.toHexDigits(distance) + PORT_TO_DX + access + RETURN);
        }
    }
}
