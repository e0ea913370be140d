package dev.outboard.memory;

import dev.outboard.linux.Mman;

/** How memory will be used: {@code madvise(2)}. What does not fit the kind of a mapping is a {@code LinuxException}. */
public enum Advice {
    /** No special treatment. */
    NORMAL(Mman.MADV_NORMAL),
    /** In no order: read nothing ahead. */
    RANDOM(Mman.MADV_RANDOM),
    /** From front to back: read far ahead. */
    SEQUENTIAL(Mman.MADV_SEQUENTIAL),
    /** Soon: start to read it now. */
    WILL_NEED(Mman.MADV_WILLNEED),
    /** No more for now. Private pages lose what was written to them, shared ones come back from their file. */
    DONT_NEED(Mman.MADV_DONTNEED),
    /** Private anonymous pages whose content may be dropped when memory is short. */
    FREE(Mman.MADV_FREE),
    /** Never: free the pages and the place in the file behind a shared mapping, which then reads zeros. */
    REMOVE(Mman.MADV_REMOVE),
    /** Not in child processes; memory that a device writes to should not be copied on write. */
    DONT_FORK(Mman.MADV_DONTFORK),
    /** Undoes {@link #DONT_FORK}. */
    DO_FORK(Mman.MADV_DOFORK),
    /** In large pages where they fit. */
    HUGE_PAGES(Mman.MADV_HUGEPAGE),
    /** Not in large pages. */
    NO_HUGE_PAGES(Mman.MADV_NOHUGEPAGE),
    /** Not in core dumps. */
    DONT_DUMP(Mman.MADV_DONTDUMP),
    /** Undoes {@link #DONT_DUMP}. */
    DO_DUMP(Mman.MADV_DODUMP),
    /** Rarely: reclaim it first when memory is short. */
    COLD(Mman.MADV_COLD),
    /** Not for long: reclaim it now. */
    PAGE_OUT(Mman.MADV_PAGEOUT),
    /** At once, for reading: fault all pages in. Linux 5.14. EFAULT if part of a file is not there. */
    POPULATE_READ(Mman.MADV_POPULATE_READ),
    /** At once, for writing: fault all pages in, writable. Linux 5.14. EFAULT if part of a file is not there. */
    POPULATE_WRITE(Mman.MADV_POPULATE_WRITE);

    private final int number;

    Advice(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }
}
