package dev.outboard.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Instructions that Java has no other word for, in memory of their own that stays until the process ends. */
final class MachineCode {
    private MachineCode() {}

    /** Makes code executable. EACCES if this process may not do that. {@code mprotect(2)}. */
    static MemorySegment load(byte[] code) throws LinuxException {
        MemorySegment page = Mman.anonymous(Mman.pageBytes(), Mman.MAP_PRIVATE, Arena.global());
        MemorySegment.copy(code, 0, page, ValueLayout.JAVA_BYTE, 0, code.length);
        // Never writable and executable at once.
        int protection = Mman.PROT_READ | Mman.PROT_EXEC;
        LinuxException.check(
                MemoryCalls.mprotect(page.address(), page.byteSize(), protection), "mprotect", "machine code");
        return page;
    }
}
