package dev.outboard.nvme;

import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaMemory;
import java.io.IOException;
import java.lang.foreign.ValueLayout;

/**
 * The PRP lists of a queue pair: a page for each of its commands, which names the pages of a buffer that has more than
 * two. NVMe base specification 2.0, 4.1.1.
 */
final class PrpLists implements AutoCloseable {
    private final DmaMemory lists;
    private final int pageBytes;

    PrpLists(DmaAllocator dma, int slots, int pageBytes) throws IOException {
        this.pageBytes = pageBytes;
        lists = dma.allocate((long) slots * pageBytes, pageBytes);
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
        for (long done = 0, at = list; done < listed; done += pageBytes, at += Long.BYTES) {
            lists.segment().set(ValueLayout.JAVA_LONG, at, secondPage + done);
        }
        return lists.deviceAddress() + list;
    }

    @Override
    public void close() {
        lists.close();
    }
}
