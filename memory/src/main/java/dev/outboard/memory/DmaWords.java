package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.outboard.linux.DevicePages;
import dev.outboard.linux.unchecked.AddressSpace;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The words of {@linkplain DmaMemory DMA memory}, for rings that are touched millions of times a second: an access takes a
 * fifth of the instructions that one through {@link DmaMemory#segment} takes, which asks each time whether the memory is
 * still there. Words are little-endian.
 *
 * <p>After the memory was given back, words read as zeros, or as whatever others put there who have the memory now; what
 * is stored may spoil theirs. Memory that was not allocated by a {@link DmaAllocator} is touched through its segment,
 * with what that throws.
 *
 * <p>Offsets are in bytes; one outside of the memory throws {@link IndexOutOfBoundsException}. Methods may be called from
 * any thread; accesses are plain ones, but for those that say otherwise.
 */
// An access that throws has not happened, so the fences need no finally block.
@SuppressWarnings("ReachabilityFenceUsage")
public final class DmaWords {
    // Alignment is checked here, of the offset alone: that of the memory does not change.
    private static final VarHandle INT =
            JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    private static final VarHandle LONG =
            JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    private static final VarHandle ORDERED_INT =
            JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();

    private static final MemorySegment MEMORY = AddressSpace.SEGMENT;

    private final MemorySegment segment;
    /** Whose address it is; kept reachable through each access. Null if there is none. */
    private final @Nullable DevicePages pages;

    private final long address;
    private final long lastInt;
    private final long lastLong;

    /**
     * The words of memory.
     *
     * @param memory the memory, of at least 8 bytes, on a boundary of 8 bytes
     * @throws IllegalArgumentException if it is not
     */
    public DmaWords(DmaMemory memory) {
        segment = memory.segment();
        pages = memory.pages();
        address = segment.address();
        if (segment.byteSize() < Long.BYTES || address % Long.BYTES != 0) {
            throw new IllegalArgumentException(memory + " is not on a boundary of 8 bytes, or shorter than that");
        }
        lastInt = segment.byteSize() - Integer.BYTES;
        lastLong = segment.byteSize() - Long.BYTES;
    }

    private void checkInt(long offset) {
        if (Long.compareUnsigned(offset, lastInt) > 0 || (offset & (Integer.BYTES - 1)) != 0) {
            throw misplaced(offset, Integer.BYTES);
        }
    }

    private void checkLong(long offset) {
        if (Long.compareUnsigned(offset, lastLong) > 0 || (offset & (Long.BYTES - 1)) != 0) {
            throw misplaced(offset, Long.BYTES);
        }
    }

    private IndexOutOfBoundsException misplaced(long offset, int width) {
        return new IndexOutOfBoundsException("no word of " + width + " bytes is at offset 0x" + Long.toHexString(offset)
                + " of " + segment.byteSize() + " bytes");
    }

    /**
     * Reads a word of 32 bits.
     *
     * @param offset where, a multiple of 4
     * @return the word
     */
    public int getInt(long offset) {
        checkInt(offset);
        if (pages == null) {
            return (int) INT.get(segment, offset);
        }
        int value = (int) INT.get(MEMORY, address + offset);
        Reference.reachabilityFence(pages);
        return value;
    }

    /**
     * Reads a word of 32 bits, before anything that comes after it.
     *
     * @param offset where, a multiple of 4
     * @return the word
     */
    public int getIntAcquire(long offset) {
        checkInt(offset);
        if (pages == null) {
            return (int) ORDERED_INT.getAcquire(segment, offset);
        }
        int value = (int) ORDERED_INT.getAcquire(MEMORY, address + offset);
        Reference.reachabilityFence(pages);
        return value;
    }

    /**
     * Reads a word of 64 bits.
     *
     * @param offset where, a multiple of 8
     * @return the word
     */
    public long getLong(long offset) {
        checkLong(offset);
        if (pages == null) {
            return (long) LONG.get(segment, offset);
        }
        long value = (long) LONG.get(MEMORY, address + offset);
        Reference.reachabilityFence(pages);
        return value;
    }

    /**
     * Stores a word of 64 bits.
     *
     * @param offset where, a multiple of 8
     * @param value the word
     */
    public void setLong(long offset, long value) {
        checkLong(offset);
        if (pages == null) {
            LONG.set(segment, offset, value);
        } else {
            LONG.set(MEMORY, address + offset, value);
            Reference.reachabilityFence(pages);
        }
    }
}
