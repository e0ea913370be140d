package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.DmaRegion;
import dev.outboard.emulation.DmaSpace;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The doorbells: pages of memory that the client maps, so that ringing one is a store, and seeing it a load. Nothing
 * tells which one was rung, or that one was: they are polled. A host may move those of I/O queues to its own memory, as
 * shadow doorbells.
 */
final class Doorbells implements AutoCloseable {
    private static final VarHandle VALUE = JAVA_INT.varHandle().withInvokeExactBehavior();

    private final Arena arena = Arena.ofShared();
    private final DmaSpace dma;
    private final int strideShift;
    private final Fd file;
    private final MemorySegment pages;
    private final long firstOfIoQueues;
    private boolean shadowed;
    private long shadowAddress;
    private @Nullable DmaRegion shadow;

    /** Doorbells for so many queue pairs, {@code 4 << strideShift} bytes apart. */
    Doorbells(DmaSpace dma, int queues, int strideShift) throws LinuxException {
        this.dma = dma;
        this.strideShift = strideShift;
        firstOfIoQueues = tailOffset(1);
        long size = sizeBytes(queues, strideShift);
        // As large as the BAR, because vfio-user's offsets in the file are offsets in the region. Only these pages are
        // ever touched, so only they take memory.
        file = Fd.memfd("outboard-doorbells", barBytes(queues, strideShift));
        try {
            int protection = Mman.PROT_READ | Mman.PROT_WRITE;
            pages = file.mmap(NvmeRegisters.DOORBELLS, size, protection, Mman.MAP_SHARED, arena);
        } catch (LinuxException e) {
            file.close();
            arena.close();
            throw e;
        }
    }

    private static long sizeBytes(int queues, int strideShift) {
        long end = NvmeRegisters.submissionTailDoorbell(queues, strideShift);
        return (end + DmaSpace.PAGE_BYTES - 1) & -DmaSpace.PAGE_BYTES;
    }

    /** The size of the BAR that registers and doorbells need. */
    static long barBytes(int queues, int strideShift) {
        long bytes = NvmeRegisters.DOORBELLS + sizeBytes(queues, strideShift);
        return Math.max(NvmeModel.SMALLEST_BAR_BYTES, Long.highestOneBit(bytes - 1) << 1);
    }

    Bar.SharedAreas shared() {
        return new Bar.SharedAreas(file, List.of(new Bar.Area(NvmeRegisters.DOORBELLS, pages.byteSize())));
    }

    /** Whether there are doorbells at an offset of the BAR. */
    boolean contains(long barOffset) {
        return barOffset >= NvmeRegisters.DOORBELLS && barOffset < NvmeRegisters.DOORBELLS + pages.byteSize();
    }

    long tailOffset(int submissionQueue) {
        return NvmeRegisters.submissionTailDoorbell(submissionQueue, strideShift);
    }

    long headOffset(int completionQueue) {
        return NvmeRegisters.completionHeadDoorbell(completionQueue, strideShift);
    }

    /** What the client wrote last. What it stored before that is seen after this. */
    int read(long offset) {
        return shadowed && offset >= firstOfIoQueues ? readShadow(offset) : (int) VALUE.getAcquire(pages, offset);
    }

    // Of the admin queue hosts keep no shadow: Linux rings it.
    private int readShadow(long offset) {
        DmaRegion region = shadowRegion();
        return region == null || !region.contains(shadowAddress + offset, Integer.BYTES)
                ? (int) VALUE.getAcquire(pages, offset)
                : (int) VALUE.getAcquire(region.segment(), shadowAddress - region.address() + offset);
    }

    private @Nullable DmaRegion shadowRegion() {
        DmaRegion region = shadow;
        if (region == null || !region.isMapped()) {
            region = dma.writable(shadowAddress, DmaSpace.PAGE_BYTES);
            shadow = region;
        }
        return region;
    }

    /**
     * Moves the doorbells of I/O queues to a page of the host's memory, until the controller is reset. Returns false if
     * there is no such page.
     */
    boolean shadow(long address) {
        shadowAddress = address;
        shadow = null;
        DmaRegion region = shadowRegion();
        shadowed = region != null;
        if (region == null) {
            return false;
        }
        // What was rung before still holds.
        long end = Math.min(pages.byteSize(), region.sizeBytes() - (address - region.address()));
        for (long at = firstOfIoQueues; at < end; at += Integer.BYTES) {
            int rung = (int) VALUE.getAcquire(pages, at);
            if (rung != 0) {
                VALUE.setRelease(region.segment(), address - region.address() + at, rung);
            }
        }
        return true;
    }

    /** What was written to the page itself, whatever shadows there are. */
    int readPage(long offset) {
        return (int) VALUE.getAcquire(pages, offset);
    }

    void write(long offset, int value) {
        VALUE.setRelease(pages, offset, value);
    }

    void clear() {
        shadowed = false;
        shadow = null;
        pages.fill((byte) 0);
    }

    @Override
    public void close() {
        if (file.isOpen()) {
            file.close();
            arena.close();
        }
    }
}
