package dev.outboard.memory;

import java.util.List;
import java.util.Objects;

/**
 * What a device is told of memory that is not contiguous for it, or that it takes in smaller pieces: elements of a device
 * address and a length. Pieces are split where the limits want it, and joined where they may be.
 *
 * <pre>{@code
 * var list = new ScatterList(128, DmaLimits.NONE.elementsUpTo(4096).notCrossing(4096));
 * list.add(header).add(payload, 100, 1400);
 * for (int i = 0; i < list.count(); i++) {
 *     descriptor(list.address(i), list.length(i));
 * }
 * list.clear();                                         // for the next request: nothing is allocated
 * }</pre>
 *
 * <p>For one thread at a time.
 */
public final class ScatterList {
    private final DmaLimits limits;
    private final long elementBytes;
    private final long[] addresses;
    private final long[] lengths;
    private int count;
    private long totalBytes;

    /**
     * An empty list.
     *
     * @param capacity how many elements it can have, at least 1
     * @param limits what each element keeps: alignment of its address, boundary, highest address, greatest length
     * @throws IllegalArgumentException if what is split cannot keep the limits: greatest length and boundary must be at
     *     least the alignment
     */
    public ScatterList(int capacity, DmaLimits limits) {
        if (capacity < 1) {
            throw new IllegalArgumentException("a scatter list of " + capacity + " elements; give 1 or more");
        }
        long alignment = limits.alignmentBytes();
        if (limits.maximumElementBytes() < alignment
                || (limits.boundaryBytes() != 0 && limits.boundaryBytes() < alignment)) {
            throw new IllegalArgumentException("elements of at most " + limits.maximumElementBytes() + " bytes "
                    + limits + ": an element is shorter than the alignment of the next");
        }
        this.limits = limits;
        // Where an element ends the next one starts.
        elementBytes = limits.maximumElementBytes() & -alignment;
        addresses = new long[capacity];
        lengths = new long[capacity];
    }

    /**
     * Adds memory.
     *
     * @param memory the memory
     * @return this list
     * @throws IllegalArgumentException if the device cannot reach it, or not at its alignment
     * @throws IllegalStateException if that are more elements than fit; the list is as it was
     */
    public ScatterList add(DmaMemory memory) {
        return add(memory, 0, memory.sizeBytes());
    }

    /**
     * Adds a part of memory.
     *
     * @param memory the memory
     * @param offset where the part starts, in bytes
     * @param length its size, in bytes, more than 0
     * @return this list
     * @throws IllegalArgumentException if the device cannot reach it, or not at its alignment
     * @throws IllegalStateException if that are more elements than fit; the list is as it was
     */
    public ScatterList add(DmaMemory memory, long offset, long length) {
        Objects.checkFromIndexSize(offset, length, memory.sizeBytes());
        int countBefore = count;
        long lastBefore = count == 0 ? 0 : lengths[count - 1];
        try {
            append(memory.deviceAddress() + offset, length);
            return this;
        } catch (IllegalArgumentException | IllegalStateException e) {
            restore(countBefore, lastBefore);
            throw e;
        }
    }

    /**
     * Adds a part of a buffer that is contiguous for the CPU alone.
     *
     * @param pieces what the buffer consists of, in order, such as {@link HugePages.Buffer#pages}
     * @param offset where the part starts, in bytes
     * @param length its size, in bytes, more than 0
     * @return this list
     * @throws IndexOutOfBoundsException if the part is not within the pieces
     * @throws IllegalArgumentException if the device cannot reach it, or not at its alignment
     * @throws IllegalStateException if that are more elements than fit; the list is as it was
     */
    public ScatterList add(List<DmaMemory> pieces, long offset, long length) {
        long size = 0;
        for (int i = 0; i < pieces.size(); i++) {
            size = Math.addExact(size, pieces.get(i).sizeBytes());
        }
        Objects.checkFromIndexSize(offset, length, size);
        checkLength(length);
        int countBefore = count;
        long lastBefore = count == 0 ? 0 : lengths[count - 1];
        try {
            long skip = offset;
            long rest = length;
            for (int i = 0; rest > 0; i++) {
                DmaMemory piece = pieces.get(i);
                long part = Math.min(piece.sizeBytes() - skip, rest);
                if (part > 0) {
                    append(piece.deviceAddress() + skip, part);
                    rest -= part;
                }
                skip = Math.max(0, skip - piece.sizeBytes());
            }
            return this;
        } catch (IllegalArgumentException | IllegalStateException e) {
            restore(countBefore, lastBefore);
            throw e;
        }
    }

    private void restore(int countBefore, long lastBefore) {
        count = countBefore;
        if (count > 0) {
            lengths[count - 1] = lastBefore;
        }
        totalBytes = 0;
        for (int i = 0; i < count; i++) {
            totalBytes += lengths[i];
        }
    }

    private static void checkLength(long length) {
        if (length < 1) {
            throw new IllegalArgumentException("an element of " + length + " bytes; give more than 0");
        }
    }

    private void append(long address, long length) {
        checkLength(length);
        if (!limits.reaches(address, length)) {
            throw new IllegalArgumentException(length + " bytes at device address 0x" + Long.toHexString(address)
                    + " are not where the device reaches (" + limits + "); allocate them with these limits");
        }
        long at = address;
        long rest = length;
        totalBytes += length;
        if (count > 0 && addresses[count - 1] + lengths[count - 1] == address) {
            // Split anew: the last element may have room left.
            count--;
            at = addresses[count];
            rest += lengths[count];
        } else if ((address & (limits.alignmentBytes() - 1)) != 0) {
            throw new IllegalArgumentException(
                    "0x" + Long.toHexString(address) + " is no device address for an element " + limits);
        }
        while (rest > 0) {
            if (count == addresses.length) {
                throw new IllegalStateException(
                        "a scatter list of " + addresses.length + " elements is full; make the request smaller");
            }
            long part = Math.min(rest, elementBytes);
            if (limits.boundaryBytes() != 0) {
                part = Math.min(part, limits.bytesToBoundary(at));
            }
            addresses[count] = at;
            lengths[count] = part;
            count++;
            at += part;
            rest -= part;
        }
    }

    /**
     * How many elements there are.
     *
     * @return their count
     */
    public int count() {
        return count;
    }

    /**
     * Where an element is.
     *
     * @param index which, from 0 on
     * @return its device address
     */
    public long address(int index) {
        return addresses[Objects.checkIndex(index, count)];
    }

    /**
     * How long an element is.
     *
     * @param index which, from 0 on
     * @return bytes
     */
    public long length(int index) {
        return lengths[Objects.checkIndex(index, count)];
    }

    /**
     * How long all elements are.
     *
     * @return bytes
     */
    public long totalBytes() {
        return totalBytes;
    }

    /** Takes all elements away. */
    public void clear() {
        count = 0;
        totalBytes = 0;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : ", ")
                    .append("0x")
                    .append(Long.toHexString(addresses[i]))
                    .append('+')
                    .append(lengths[i]);
        }
        return "[" + text + "]";
    }
}
