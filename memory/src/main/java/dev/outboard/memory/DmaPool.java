package dev.outboard.memory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Buffers of one size, taken and given back by any thread without a lock, a system call or an allocation.
 *
 * <pre>{@code
 * try (var pool = DmaPool.of(function.dma(), 1024, 2048, DmaLimits.NONE)) {
 *     DmaMemory buffer = pool.take();
 *     …
 *     pool.give(buffer);
 * }
 * }</pre>
 *
 * <p>A buffer is not zeroed when it is taken again. Closing a buffer does nothing.
 */
public final class DmaPool implements AutoCloseable {
    private static final int INDEX_BITS = 32;
    private static final long INDEX_MASK = (1L << INDEX_BITS) - 1;
    private static final int FREE = 0;
    private static final int TAKEN = 1;

    private final DmaMemory[] buffers;
    private final List<DmaMemory> blocks;
    private final long bufferBytes;

    /**
     * A stack of free buffers (R. K. Treiber, 1986): the number of the top one and one, 0 if there is none. Above it, a
     * count of changes: a thread that looked, and was overtaken by others that left the same top, must notice.
     */
    private final AtomicLong top = new AtomicLong();

    /** What is below each buffer in the stack, as in {@link #top}. */
    private final AtomicIntegerArray below;

    private final AtomicIntegerArray state;
    private final AtomicBoolean closed = new AtomicBoolean();

    private DmaPool(List<DmaMemory> blocks, long bufferBytes, long stride, int count) {
        this.blocks = blocks;
        this.bufferBytes = bufferBytes;
        buffers = new DmaMemory[count];
        below = new AtomicIntegerArray(count);
        state = new AtomicIntegerArray(count);
        int index = 0;
        for (DmaMemory block : blocks) {
            for (long at = 0; at + bufferBytes <= block.sizeBytes() && index < count; at += stride) {
                buffers[index] = block.poolBuffer(at, bufferBytes, index);
                index++;
            }
        }
        for (int i = count - 1; i >= 0; i--) {
            push(i);
        }
    }

    /**
     * Allocates a pool, zeroed.
     *
     * @param allocator where its memory comes from: in one piece if it has such large ones
     * @param count how many buffers, at least 1
     * @param bufferBytes the size of each, at least 1
     * @param limits what the device demands of each buffer; no two share a cache line
     * @return the pool, full
     * @throws IOException if there is not so much memory
     */
    public static DmaPool of(DmaAllocator allocator, int count, long bufferBytes, DmaLimits limits) throws IOException {
        if (count < 1 || bufferBytes < 1 || bufferBytes > Long.MAX_VALUE / 4 / count) {
            throw new IllegalArgumentException(
                    "a pool of " + count + " buffers of " + bufferBytes + " bytes; give 1 or more of each");
        }
        if (limits.alignmentBytes() > DmaAllocator.CHUNK_BYTES) {
            throw new IllegalArgumentException("buffers " + limits + "; the alignment is at most 2 MiB");
        }
        long stride = stride(bufferBytes, limits);
        long each = Math.min(count, allocator.largestBytes() / stride);
        if (each == 0) {
            throw new IOException("a buffer of " + bufferBytes + " bytes is more than there is in one piece, "
                    + allocator.largestBytes());
        }
        // A block may cross boundaries that its buffers do not.
        DmaLimits block =
                limits.notCrossing(0).alignedTo(limits.boundaryBytes() == 0 ? limits.alignmentBytes() : stride);
        List<DmaMemory> blocks = new ArrayList<>();
        try {
            for (long rest = count; rest > 0; rest -= each) {
                blocks.add(allocator.allocate(Math.min(each, rest) * stride, block));
            }
        } catch (IOException | RuntimeException e) {
            blocks.forEach(DmaMemory::close);
            throw e;
        }
        return new DmaPool(List.copyOf(blocks), bufferBytes, stride, count);
    }

    private static long stride(long bufferBytes, DmaLimits limits) {
        if (limits.boundaryBytes() == 0) {
            return DmaLimits.alignUp(bufferBytes, Math.max(limits.alignmentBytes(), DmaAllocator.CACHE_LINE_BYTES));
        }
        // Powers of two from a multiple on cross no larger one.
        long power = Math.max(DmaAllocator.CACHE_LINE_BYTES, Long.highestOneBit(bufferBytes * 2 - 1));
        if (bufferBytes > limits.boundaryBytes() || power > DmaAllocator.CHUNK_BYTES) {
            throw new IllegalArgumentException(
                    "buffers of " + bufferBytes + " bytes " + limits + ": they are at most the boundary, and 2 MiB");
        }
        return Math.max(power, limits.alignmentBytes());
    }

    /**
     * Takes a buffer.
     *
     * @return a buffer, with what its last user left in it; null if all are taken
     * @throws IllegalStateException if the pool is closed
     */
    public @Nullable DmaMemory take() {
        if (closed.get()) {
            throw new IllegalStateException("the pool is closed");
        }
        int index = pop();
        if (index < 0) {
            return null;
        }
        state.set(index, TAKEN);
        return buffers[index];
    }

    /**
     * Gives a buffer back.
     *
     * @param buffer what {@link #take} returned; the device must be done with it
     * @throws IllegalArgumentException if it is not of this pool
     * @throws IllegalStateException if it was given back already
     */
    public void give(DmaMemory buffer) {
        int index = buffer.poolIndex();
        if (index < 0 || index >= buffers.length || buffers[index] != buffer) {
            throw new IllegalArgumentException(buffer + " is not of this pool");
        }
        if (!state.compareAndSet(index, TAKEN, FREE)) {
            throw new IllegalStateException(buffer + " was given back already");
        }
        push(index);
    }

    private int pop() {
        while (true) {
            long seen = top.get();
            int index = (int) (seen & INDEX_MASK) - 1;
            if (index < 0) {
                return index;
            }
            if (top.compareAndSet(seen, changed(seen, below.get(index)))) {
                return index;
            }
            Thread.onSpinWait();
        }
    }

    private void push(int index) {
        while (true) {
            long seen = top.get();
            below.set(index, (int) (seen & INDEX_MASK));
            if (top.compareAndSet(seen, changed(seen, index + 1))) {
                return;
            }
            Thread.onSpinWait();
        }
    }

    private static long changed(long seen, int newTop) {
        return ((seen >>> INDEX_BITS) + 1) << INDEX_BITS | newTop;
    }

    /**
     * The size of each buffer.
     *
     * @return bytes
     */
    public long bufferBytes() {
        return bufferBytes;
    }

    /**
     * How many buffers there are, taken or not.
     *
     * @return their count
     */
    public int count() {
        return buffers.length;
    }

    /**
     * Gives the memory back to its allocator if no buffer is taken; else it stays the device's until the allocator closes.
     * Closing twice is harmless.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        int free = 0;
        while (pop() >= 0) {
            free++;
        }
        if (free == buffers.length) {
            blocks.forEach(DmaMemory::close);
        }
    }

    @Override
    public String toString() {
        return "pool of " + buffers.length + " DMA buffers of " + bufferBytes + " bytes";
    }
}
