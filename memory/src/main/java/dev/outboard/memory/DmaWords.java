package dev.outboard.memory;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
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
    private static final VarHandle LONG =
            JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    private static final VarHandle ORDERED_LONG =
            JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();

    private static final MemorySegment MEMORY = AddressSpace.SEGMENT;

    // What addresses and offsets are within anyway: with their upper bits cut off, the compiler knows that their sum is
    // in
    // the segment of all memory, and leaves out the check of that.
    private static final long ADDRESS_BITS = -1L >>> 2;
    private static final int LARGEST_BYTES = 1 << 30;
    private static final long OFFSET_BITS = LARGEST_BYTES - 1;

    private final MemorySegment segment;
    /** Whose address it is; kept reachable through each access. Null if there is none. */
    private final @Nullable DevicePages pages;

    private final long address;
    private final long last;
    private final long lastOfEight;

    /**
     * The words of memory.
     *
     * @param memory the memory, of 8 bytes to 1 GiB, on a boundary of 8 bytes
     * @throws IllegalArgumentException if it is not
     */
    public DmaWords(DmaMemory memory) {
        segment = memory.segment();
        pages = memory.pages();
        address = segment.address();
        long bytes = segment.byteSize();
        if (bytes < Long.BYTES || bytes > LARGEST_BYTES || address % Long.BYTES != 0) {
            throw new IllegalArgumentException(
                    memory + " is not on a boundary of 8 bytes, or shorter than that, or longer than 1 GiB");
        }
        last = bytes - Long.BYTES;
        lastOfEight = bytes - 8 * Long.BYTES;
    }

    private void check(long offset, long highest) {
        if (offset < 0 || offset > highest || (offset & (Long.BYTES - 1)) != 0) {
            throw new IndexOutOfBoundsException("no words of 8 bytes are at offset 0x" + Long.toHexString(offset)
                    + " of " + segment.byteSize() + " bytes");
        }
    }

    private long at(long offset) {
        return (address & ADDRESS_BITS) + (offset & OFFSET_BITS);
    }

    /**
     * Reads a word of 64 bits.
     *
     * @param offset where, a multiple of 8
     * @return the word
     */
    public long getLong(long offset) {
        check(offset, last);
        if (pages == null) {
            return (long) LONG.get(segment, offset);
        }
        long value = (long) LONG.get(MEMORY, at(offset));
        Reference.reachabilityFence(pages);
        return value;
    }

    /**
     * Reads a word of 64 bits, before anything that comes after it.
     *
     * @param offset where, a multiple of 8
     * @return the word
     */
    public long getLongAcquire(long offset) {
        check(offset, last);
        if (pages == null) {
            return (long) ORDERED_LONG.getAcquire(segment, offset);
        }
        long value = (long) ORDERED_LONG.getAcquire(MEMORY, at(offset));
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
        check(offset, last);
        if (pages == null) {
            LONG.set(segment, offset, value);
        } else {
            LONG.set(MEMORY, at(offset), value);
            Reference.reachabilityFence(pages);
        }
    }

    /**
     * Stores eight words of 64 bits, with one check for all: a cache line, as entries of rings are.
     *
     * @param offset where the first goes, a multiple of 8
     * @param word0 the first word
     * @param word1 the next, and so on
     * @param word2 the third
     * @param word3 the fourth
     * @param word4 the fifth
     * @param word5 the sixth
     * @param word6 the seventh
     * @param word7 the eighth
     */
    public void setLongs(
            long offset,
            long word0,
            long word1,
            long word2,
            long word3,
            long word4,
            long word5,
            long word6,
            long word7) {
        check(offset, lastOfEight);
        // Two calls, so that the segment of the one is a constant.
        if (pages == null) {
            set(segment, offset, word0, word1, word2, word3, word4, word5, word6, word7);
        } else {
            set(MEMORY, at(offset), word0, word1, word2, word3, word4, word5, word6, word7);
            Reference.reachabilityFence(pages);
        }
    }

    private static void set(
            MemorySegment memory,
            long at,
            long word0,
            long word1,
            long word2,
            long word3,
            long word4,
            long word5,
            long word6,
            long word7) {
        LONG.set(memory, at, word0);
        LONG.set(memory, at + 8, word1);
        LONG.set(memory, at + 16, word2);
        LONG.set(memory, at + 24, word3);
        LONG.set(memory, at + 32, word4);
        LONG.set(memory, at + 40, word5);
        LONG.set(memory, at + 48, word6);
        LONG.set(memory, at + 56, word7);
    }
}
