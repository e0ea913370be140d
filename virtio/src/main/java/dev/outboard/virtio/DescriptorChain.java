package dev.outboard.virtio;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A request that a device has taken from a queue: buffers that it reads, then buffers that it writes. It is filled by
 * {@link DeviceQueue#take} over and over; who keeps a request while taking the next uses another object.
 *
 * <p>Lengths and the order of buffers are checked, addresses are not: the memory says whether they are good when it is
 * accessed.
 */
public final class DescriptorChain {
    /** The most buffers of a request. Longer ones break the queue. */
    public static final int MAXIMUM_BUFFERS = 1024;

    private final GuestMemory memory;
    private final long[] addresses = new long[MAXIMUM_BUFFERS];
    private final int[] lengths = new int[MAXIMUM_BUFFERS];
    private int count;
    private int readableCount;
    private long readableBytes;
    private long writableBytes;
    /** What the driver knows the request by: the first descriptor's index, or the buffer id. */
    int id;
    /** How many descriptors of the ring it takes, not counting those of a table. */
    int ringDescriptors;

    /**
     * An object for requests.
     *
     * @param memory where their buffers are
     */
    public DescriptorChain(GuestMemory memory) {
        this.memory = memory;
    }

    void clear() {
        count = 0;
        readableCount = 0;
        readableBytes = 0;
        writableBytes = 0;
    }

    void add(long address, int length, boolean writable) throws BrokenRingException {
        if (length == 0) {
            throw new BrokenRingException("a buffer of no length");
        }
        if (count == MAXIMUM_BUFFERS) {
            throw new BrokenRingException("a request of more than " + MAXIMUM_BUFFERS + " buffers");
        }
        if (writable) {
            writableBytes += Integer.toUnsignedLong(length);
        } else if (readableCount == count) {
            readableBytes += Integer.toUnsignedLong(length);
            readableCount++;
        } else {
            throw new BrokenRingException("a buffer to read behind one to write");
        }
        addresses[count] = address;
        lengths[count] = length;
        count++;
    }

    /**
     * How many buffers there are.
     *
     * @return those to read and those to write
     */
    public int buffers() {
        return count;
    }

    /**
     * How many buffers there are for the device to read, which come first.
     *
     * @return the number
     */
    public int readableBuffers() {
        return readableCount;
    }

    /**
     * Where a buffer is.
     *
     * @param buffer which one, from 0
     * @return its first device address
     */
    public long address(int buffer) {
        return addresses[Objects.checkIndex(buffer, count)];
    }

    /**
     * How long a buffer is.
     *
     * @param buffer which one, from 0
     * @return bytes, at least 1
     */
    public long length(int buffer) {
        return Integer.toUnsignedLong(lengths[Objects.checkIndex(buffer, count)]);
    }

    /**
     * How much there is to read.
     *
     * @return the sum of the lengths of those buffers, in bytes
     */
    public long readableBytes() {
        return readableBytes;
    }

    /**
     * How much there is to write.
     *
     * @return the sum of the lengths of those buffers, in bytes
     */
    public long writableBytes() {
        return writableBytes;
    }

    /**
     * Copies from what the driver gave to read, as if it were one buffer.
     *
     * @param offset where to begin, in bytes
     * @param target where to
     * @param targetOffset where in the target
     * @param length how much
     * @return false if there is not so much, or the driver's memory is not where it says
     */
    public boolean read(long offset, MemorySegment target, long targetOffset, long length) {
        return fits(offset, length, readableBytes)
                && copy(0, readableCount, offset, target, targetOffset, length, false);
    }

    /**
     * Copies to what the driver gave to write, as if it were one buffer.
     *
     * @param offset where to begin, in bytes
     * @param source what to write
     * @param sourceOffset where in the source
     * @param length how much
     * @return false if there is not so much room, or the driver's memory is not where it says
     */
    public boolean write(long offset, MemorySegment source, long sourceOffset, long length) {
        return fits(offset, length, writableBytes)
                && copy(readableCount, count, offset, source, sourceOffset, length, true);
    }

    private static boolean fits(long offset, long length, long bytes) {
        return offset >= 0 && length >= 0 && length <= bytes && offset <= bytes - length;
    }

    private boolean copy(
            int from, int to, long offset, MemorySegment own, long ownOffset, long length, boolean toGuest) {
        long skip = offset;
        long done = 0;
        for (int i = from; i < to && done < length; i++) {
            long size = Integer.toUnsignedLong(lengths[i]);
            if (skip >= size) {
                skip -= size;
                continue;
            }
            long part = Math.min(size - skip, length - done);
            if (!copyPart(addresses[i] + skip, own, ownOffset + done, part, toGuest)) {
                return false;
            }
            done += part;
            skip = 0;
        }
        return true;
    }

    private boolean copyPart(long address, MemorySegment own, long ownOffset, long length, boolean toGuest) {
        GuestRegion region = toGuest ? memory.writable(address, length) : memory.readable(address, length);
        if (region == null) {
            MemorySegment part = own.asSlice(ownOffset, length);
            return toGuest ? memory.write(address, part) : memory.read(address, part);
        }
        long at = address - region.address();
        if (toGuest) {
            MemorySegment.copy(own, ownOffset, region.segment(), at, length);
        } else {
            MemorySegment.copy(region.segment(), at, own, ownOffset, length);
        }
        return true;
    }
}
