package dev.outboard.emulation.virtio;

import dev.outboard.specs.virtio.VirtioBlk;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a virtio block device shall be.
 *
 * @param sizeBytes its size, a multiple of the block size
 * @param blockSizeBytes the block size, a power of two from 512 to 4096
 * @param serial its serial number, at most 20 characters of ASCII
 * @param queues how many queues it has
 * @param queueSize how many descriptors each queue can have, a power of two from 4
 * @param readOnly whether it refuses to be written
 * @param file the file that holds it; null for memory
 */
public record VirtioBlockOptions(
        long sizeBytes,
        int blockSizeBytes,
        String serial,
        int queues,
        int queueSize,
        boolean readOnly,
        @Nullable Path file) {
    /** 1 GiB of memory in blocks of 512 bytes, four queues. */
    public static final VirtioBlockOptions DEFAULT =
            new VirtioBlockOptions(1 << 30, VirtioBlk.SECTOR_BYTES, "OB0001", 4, 256, false, null);

    private static final int LARGEST_BLOCK_BYTES = 4096;
    private static final int MOST_QUEUES = 64;
    private static final int SMALLEST_QUEUE = 4;
    private static final int LARGEST_QUEUE = 1024;

    /** Checks all of it. */
    public VirtioBlockOptions {
        if (!isPowerOfTwo(blockSizeBytes)
                || blockSizeBytes < VirtioBlk.SECTOR_BYTES
                || blockSizeBytes > LARGEST_BLOCK_BYTES) {
            throw new IllegalArgumentException("a block size of " + blockSizeBytes + "; it can be "
                    + VirtioBlk.SECTOR_BYTES + " to " + LARGEST_BLOCK_BYTES + ", a power of two");
        }
        if (sizeBytes <= 0 || sizeBytes % blockSizeBytes != 0) {
            throw new IllegalArgumentException(
                    sizeBytes + " bytes are no whole number of blocks of " + blockSizeBytes + ", at least one");
        }
        if (serial.length() > VirtioBlk.ID_BYTES || !serial.chars().allMatch(c -> c >= ' ' && c <= '~')) {
            throw new IllegalArgumentException("the serial number \"" + serial + "\"; give at most "
                    + VirtioBlk.ID_BYTES + " characters of ASCII");
        }
        if (queues < 1 || queues > MOST_QUEUES) {
            throw new IllegalArgumentException(queues + " queues; there can be 1 to " + MOST_QUEUES);
        }
        if (!isPowerOfTwo(queueSize) || queueSize < SMALLEST_QUEUE || queueSize > LARGEST_QUEUE) {
            throw new IllegalArgumentException("queues of " + queueSize + " descriptors; they can have "
                    + SMALLEST_QUEUE + " to " + LARGEST_QUEUE + ", a power of two");
        }
    }

    private static boolean isPowerOfTwo(int value) {
        return Integer.bitCount(value) == 1;
    }

    /**
     * The same device with another size.
     *
     * @param bytes its size
     * @return new options
     */
    public VirtioBlockOptions withSizeBytes(long bytes) {
        return new VirtioBlockOptions(bytes, blockSizeBytes, serial, queues, queueSize, readOnly, file);
    }
}
