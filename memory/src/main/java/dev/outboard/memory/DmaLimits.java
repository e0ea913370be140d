package dev.outboard.memory;

import java.util.OptionalLong;

/**
 * What a device demands of addresses, as the kernel has it in {@code struct device}: {@code dma_mask},
 * {@code segment_boundary_mask} and {@code max_segment_size} (Documentation/core-api/dma-api.rst).
 *
 * <pre>{@code
 * DmaLimits limits = DmaLimits.NONE.alignedTo(4096).notCrossing(64 << 10).addressBits(32);
 * }</pre>
 *
 * @param alignmentBytes device addresses are multiples of this power of two; 1 for any
 * @param boundaryBytes nothing crosses a multiple of this power of two; 0 for no boundary
 * @param highestAddress the highest address that the device reaches, unsigned
 * @param maximumElementBytes how long an element of a {@link ScatterList} may be
 */
public record DmaLimits(long alignmentBytes, long boundaryBytes, long highestAddress, long maximumElementBytes) {
    /** A device that takes everything. */
    public static final DmaLimits NONE = new DmaLimits(1, 0, -1, Long.MAX_VALUE);

    /** Checks that the limits make sense. */
    public DmaLimits {
        if (!isPowerOfTwo(alignmentBytes)) {
            throw new IllegalArgumentException(
                    "DMA memory at multiples of " + alignmentBytes + " bytes; give a power of two");
        }
        if (boundaryBytes != 0 && !isPowerOfTwo(boundaryBytes)) {
            throw new IllegalArgumentException("DMA memory that does not cross multiples of " + boundaryBytes
                    + " bytes; give a power of two, or 0 for no boundary");
        }
        if (maximumElementBytes < 1) {
            throw new IllegalArgumentException(
                    "elements of at most " + maximumElementBytes + " bytes; give more than 0");
        }
    }

    private static boolean isPowerOfTwo(long value) {
        return value > 0 && Long.bitCount(value) == 1;
    }

    /**
     * The same limits with an alignment.
     *
     * @param bytes device addresses are multiples of this power of two
     * @return new limits
     */
    public DmaLimits alignedTo(long bytes) {
        return new DmaLimits(bytes, boundaryBytes, highestAddress, maximumElementBytes);
    }

    /**
     * The same limits with a boundary.
     *
     * @param bytes a power of two of which no multiple is crossed; 0 for no boundary
     * @return new limits
     */
    public DmaLimits notCrossing(long bytes) {
        return new DmaLimits(alignmentBytes, bytes, highestAddress, maximumElementBytes);
    }

    /**
     * The same limits for a device with so many address lines.
     *
     * @param bits 1 to 64
     * @return new limits
     */
    public DmaLimits addressBits(int bits) {
        if (bits < 1 || bits > Long.SIZE) {
            throw new IllegalArgumentException(bits + " address bits; give 1 to 64");
        }
        return new DmaLimits(alignmentBytes, boundaryBytes, -1L >>> (Long.SIZE - bits), maximumElementBytes);
    }

    /**
     * The same limits with shorter elements of scatter lists.
     *
     * @param bytes the most that an element may have
     * @return new limits
     */
    public DmaLimits elementsUpTo(long bytes) {
        return new DmaLimits(alignmentBytes, boundaryBytes, highestAddress, bytes);
    }

    /** The lowest address from first to last where so many bytes keep the limits. Addresses are unsigned. */
    OptionalLong place(long first, long last, long sizeBytes) {
        long start = alignUp(first, alignmentBytes);
        if (boundaryBytes != 0 && bytesToBoundary(start) < sizeBytes) {
            start = alignUp(start, Math.max(boundaryBytes, alignmentBytes));
            if (boundaryBytes < sizeBytes) {
                return OptionalLong.empty();
            }
        }
        // Below first if it went over the highest address there is.
        boolean fits = Long.compareUnsigned(start, first) >= 0 && ends(start, sizeBytes, last);
        return fits && reaches(start, sizeBytes) ? OptionalLong.of(start) : OptionalLong.empty();
    }

    /** Whether the device's address lines suffice for a range. */
    boolean reaches(long address, long sizeBytes) {
        return ends(address, sizeBytes, highestAddress);
    }

    private static boolean ends(long start, long sizeBytes, long last) {
        return Long.compareUnsigned(start, last) <= 0 && Long.compareUnsigned(sizeBytes - 1, last - start) <= 0;
    }

    /** How many bytes there are up to the next boundary; there must be one. */
    long bytesToBoundary(long address) {
        return boundaryBytes - (address & (boundaryBytes - 1));
    }

    static long alignUp(long value, long alignment) {
        return (value + alignment - 1) & -alignment;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("at multiples of ").append(alignmentBytes);
        if (boundaryBytes != 0) {
            text.append(", not across multiples of ").append(boundaryBytes);
        }
        if (highestAddress != -1) {
            text.append(", up to 0x").append(Long.toHexString(highestAddress));
        }
        return text.toString();
    }
}
