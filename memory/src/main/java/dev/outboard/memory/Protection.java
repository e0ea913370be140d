package dev.outboard.memory;

import dev.outboard.linux.Mman;

/** Which accesses a mapping allows; {@code mmap(2)}, {@code mprotect(2)}. There is no writing without reading. */
public enum Protection {
    /** None: to keep addresses, or to catch stray accesses. There is no segment over such a mapping. */
    NONE(Mman.PROT_NONE),
    /** Reading. */
    READ_ONLY(Mman.PROT_READ),
    /** Reading and writing. */
    READ_WRITE(Mman.PROT_READ | Mman.PROT_WRITE),
    /** Reading, and running as machine code. */
    READ_EXECUTE(Mman.PROT_READ | Mman.PROT_EXEC),
    /** Reading, writing, and running as machine code. */
    READ_WRITE_EXECUTE(Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC);

    private final int bits;

    Protection(int bits) {
        this.bits = bits;
    }

    int bits() {
        return bits;
    }

    boolean isWritable() {
        return (bits & Mman.PROT_WRITE) != 0;
    }
}
