package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.outboard.emulation.Bar;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * The doorbells: a page of memory that the client maps, so that ringing one is a store, and seeing it a load. Nothing
 * tells which one was rung, or that one was: they are polled. CAP.DSTRD is 0.
 */
final class Doorbells implements AutoCloseable {
    static final long PAGE_BYTES = 4096;

    private static final VarHandle VALUE = JAVA_INT.varHandle().withInvokeExactBehavior();

    private final Arena arena = Arena.ofShared();
    private final Fd file;
    private final MemorySegment page;

    Doorbells(long barBytes) throws LinuxException {
        // As large as the BAR, because vfio-user's offsets in the file are offsets in the region. Only this page is
        // ever
        // touched, so only it takes memory.
        file = Fd.memfd("outboard-doorbells", barBytes);
        try {
            int protection = Mman.PROT_READ | Mman.PROT_WRITE;
            page = file.mmap(NvmeRegisters.DOORBELLS, PAGE_BYTES, protection, Mman.MAP_SHARED, arena);
        } catch (LinuxException e) {
            file.close();
            arena.close();
            throw e;
        }
    }

    Bar.SharedAreas shared() {
        return new Bar.SharedAreas(file, List.of(new Bar.Area(NvmeRegisters.DOORBELLS, PAGE_BYTES)));
    }

    static long tailOffset(int submissionQueue) {
        return NvmeRegisters.submissionTailDoorbell(submissionQueue, 0);
    }

    static long headOffset(int completionQueue) {
        return NvmeRegisters.completionHeadDoorbell(completionQueue, 0);
    }

    /** What the client wrote last. What it stored before that is seen after this. */
    int read(long offset) {
        return (int) VALUE.getAcquire(page, offset);
    }

    void write(long offset, int value) {
        VALUE.setRelease(page, offset, value);
    }

    void clear() {
        page.fill((byte) 0);
    }

    @Override
    public void close() {
        if (file.isOpen()) {
            file.close();
            arena.close();
        }
    }
}
