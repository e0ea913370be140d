package dev.outboard.emulation.interpose;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What DMA memory holds, as far as the stores say that were applied to it; the rest is zero. */
public final class DmaImage {
    private static final int PAGE_BYTES = 4096;

    // As much as was stored, however much there is: a guest's memory is one range of gigabytes.
    private final NavigableMap<Long, byte[]> pages = new TreeMap<>(Long::compareUnsigned);

    /** Does something with a part of a page, which is some bytes into the range. */
    private interface Part {
        void at(long page, int inPage, int inRange, int length);
    }

    /** All zero. */
    public DmaImage() {}

    private static void forEachPart(long address, int length, Part part) {
        for (int done = 0; done < length; ) {
            int inPage = (int) ((address + done) & (PAGE_BYTES - 1));
            int count = Math.min(length - done, PAGE_BYTES - inPage);
            part.at(address + done - inPage, inPage, done, count);
            done += count;
        }
    }

    /**
     * There is new memory: it is zero.
     *
     * @param address the first device address
     * @param sizeBytes how much
     */
    public void allocated(long address, long sizeBytes) {
        long last = address + sizeBytes - 1;
        pages.subMap(address & -PAGE_BYTES, true, last, true).forEach((page, content) -> {
            int from = (int) Math.max(0, address - page);
            int to = (int) Math.min(PAGE_BYTES, last - page + 1);
            Arrays.fill(content, from, to, (byte) 0);
        });
    }

    /**
     * Something was stored.
     *
     * @param store what, and where
     */
    public void apply(DmaStore store) {
        byte[] bytes = store.bytes();
        forEachPart(store.deviceAddress(), bytes.length, (page, inPage, inRange, length) -> {
            byte[] content = pages.computeIfAbsent(page, _ -> new byte[PAGE_BYTES]);
            System.arraycopy(bytes, inRange, content, inPage, length);
        });
    }

    /**
     * What there is.
     *
     * @param address the first device address
     * @param length how much
     * @return a copy, little-endian
     */
    public ByteBuffer bytes(long address, int length) {
        byte[] bytes = new byte[length];
        forEachPart(address, length, (page, inPage, inRange, count) -> {
            byte @Nullable [] content = pages.get(page);
            if (content != null) {
                System.arraycopy(content, inPage, bytes, inRange, count);
            }
        });
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
