package dev.outboard.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Asks the processor to fetch memory into its caches before it is needed: the instruction PREFETCHT0 of x86-64, which
 * never waits and never faults, so that memory that is not mapped, or a file that is too short, does no harm. On other
 * processors, and where this process may not make code executable, nothing happens. Any thread.
 */
public final class Prefetch {
    /** The size of a cache line, in bytes. */
    public static final int LINE_BYTES = 64;

    private static final @Nullable MethodHandle FETCH = fetch();

    private Prefetch() {}

    /**
     * Starts to fetch cache lines.
     *
     * @param memory the memory
     * @param offset where the first line is
     * @param lines how many lines, at least 1
     */
    public static void lines(MemorySegment memory, long offset, int lines) {
        MethodHandle fetch = FETCH;
        if (fetch == null || lines <= 0) {
            return;
        }
        try {
            fetch.invokeExact(memory.address() + offset, (long) lines);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError("a downcall threw a checked exception", t);
        }
    }

    // Intel 64 manual, volume 2B, PREFETCHh; System V ABI, 3.2.3: arguments in rdi and rsi.
    private static @Nullable MethodHandle fetch() {
        if (!"amd64".equals(System.getProperty("os.arch"))) {
            return null;
        }
        byte[] code = HexFormat.of()
                .parseHex(
                        "0f180f" // prefetcht0 [rdi]
                                + "4883c740" // add rdi, 64
                                + "4883ee01" // sub rsi, 1
                                + "75f3" // jnz to the start
                                + "c3"); // ret
        try {
            return Linker.nativeLinker()
                    .downcallHandle(
                            MachineCode.load(code),
                            FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG),
                            Linker.Option.critical(false));
        } catch (LinuxException mayNot) {
            return null;
        }
    }
}
