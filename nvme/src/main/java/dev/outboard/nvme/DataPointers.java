package dev.outboard.nvme;

import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.ScatterList;
import dev.outboard.specs.nvme.Sgl;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How commands name their buffers: by two PRP entries, or, for more than two pages, by a list in a page that each command
 * of a queue pair has. NVMe base specification 2.0, 4.1.
 */
final class DataPointers implements AutoCloseable {
    private static final int TYPE_SHIFT = Long.SIZE - Byte.SIZE;

    private final DmaMemory lists;
    private final MemorySegment memory;
    private final int pageBytes;

    DataPointers(DmaAllocator dma, int slots, int pageBytes) throws IOException {
        this.pageBytes = pageBytes;
        lists = dma.allocate((long) slots * pageBytes, pageBytes);
        memory = lists.segment();
    }

    /** The most that one list can name, wherever the buffer starts in its first page. */
    static long maximumBytes(int pageBytes) {
        return (long) (pageBytes / Long.BYTES) * pageBytes;
    }

    /**
     * PRP entry 2 for a buffer whose first byte is PRP entry 1: nothing, its second page, or a list of all pages but the
     * first.
     *
     * @param slot whose page to write a list to
     * @param address where the buffer is for the device; it is contiguous
     * @param length its size, in bytes, at most {@link #maximumBytes}
     */
    long second(int slot, long address, long length) {
        long secondPage = (address & -pageBytes) + pageBytes;
        long listed = address + length - secondPage;
        if (listed <= 0) {
            return 0;
        }
        if (listed <= pageBytes) {
            return secondPage;
        }
        long list = (long) slot * pageBytes;
        long at = list;
        for (long done = 0; done < listed; done += pageBytes, at += Long.BYTES) {
            memory.set(ValueLayout.JAVA_LONG, at, secondPage + done);
        }
        end(slot, at);
        return lists.deviceAddress() + list;
    }

    /** A controller that takes the transfer for longer than it is meets an address that it cannot use, not that of before. */
    private void end(int slot, long at) {
        if (at < (slot + 1L) * pageBytes) {
            memory.set(ValueLayout.JAVA_LONG, at, 0);
        }
    }

    /** Whether PRP entries can name these pieces: all but the first start a page, all but the last end one. */
    boolean arePages(ScatterList pieces) {
        for (int i = 0; i < pieces.count(); i++) {
            boolean starts = i == 0 || (pieces.address(i) & (pageBytes - 1)) == 0;
            boolean ends = i == pieces.count() - 1 || ((pieces.address(i) + pieces.length(i)) & (pageBytes - 1)) == 0;
            if (!starts || !ends) {
                return false;
            }
        }
        return true;
    }

    /** PRP entry 2 for such pieces, the first of which starts at PRP entry 1. */
    long second(int slot, ScatterList pieces) {
        long list = (long) slot * pageBytes;
        long at = list;
        for (int i = 0; i < pieces.count(); i++) {
            long end = pieces.address(i) + pieces.length(i);
            long page = i == 0 ? (pieces.address(0) & -pageBytes) + pageBytes : pieces.address(i);
            for (; page < end; page += pageBytes, at += Long.BYTES) {
                memory.set(ValueLayout.JAVA_LONG, at, page);
            }
        }
        end(slot, at);
        long pages = (at - list) / Long.BYTES;
        return pages == 0 ? 0 : pages == 1 ? memory.get(ValueLayout.JAVA_LONG, list) : lists.deviceAddress() + list;
    }

    /** Puts what a command brings along into the slot's page; returns where that is. It needs no list, so it has the page. */
    long place(int slot, CommandPayload payload) {
        long at = (long) slot * pageBytes;
        payload.copyTo(memory, at);
        return lists.deviceAddress() + at;
    }

    /** How many pieces a list of SGL descriptors can name. */
    int maximumPieces() {
        return pageBytes / Sgl.SIZE_BYTES;
    }

    /** Writes SGL descriptors of pieces; returns where they are, for the descriptor of the last segment in the command. */
    long describe(int slot, ScatterList pieces) {
        long list = (long) slot * pageBytes;
        for (int i = 0; i < pieces.count(); i++) {
            long at = list + (long) i * Sgl.SIZE_BYTES;
            memory.set(ValueLayout.JAVA_LONG, at + Sgl.ADDRESS, pieces.address(i));
            memory.set(ValueLayout.JAVA_LONG, at + Sgl.LENGTH, sglWord(Sgl.DATA_BLOCK, pieces.length(i)));
        }
        return lists.deviceAddress() + list;
    }

    /** The second half of an SGL descriptor. */
    static long sglWord(int type, long length) {
        return length | Sgl.TYPE.of(type) << TYPE_SHIFT;
    }

    @Override
    public void close() {
        lists.close();
    }
}
