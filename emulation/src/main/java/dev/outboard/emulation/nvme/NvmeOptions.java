package dev.outboard.emulation.nvme;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What an NVMe model shall be.
 *
 * @param sizeBytes the namespace's size; rounded down to whole blocks
 * @param blockSizeBytes 512 or 4096
 * @param serial the serial number, up to 20 ASCII characters
 * @param model the model number, up to 40 ASCII characters
 * @param firmware the firmware revision, up to 8 ASCII characters
 * @param ioQueues how many I/O queue pairs there are at most, 1 to 127
 * @param file the file that holds the namespace, created where there is none; null for memory that is lost at the end
 */
public record NvmeOptions(
        long sizeBytes,
        int blockSizeBytes,
        String serial,
        String model,
        String firmware,
        int ioQueues,
        @Nullable Path file) {
    /** 1 GiB of memory in blocks of 512 bytes, 32 I/O queues. */
    public static final NvmeOptions DEFAULT =
            new NvmeOptions(1L << 30, 512, "OB0001", "Outboard Emulated NVMe", "0.1", 32, null);

    private static final int MAXIMUM_IO_QUEUES = 127;

    /** Checks everything that can be checked without touching the file. */
    public NvmeOptions {
        if (blockSizeBytes != 512 && blockSizeBytes != 4096) {
            throw new IllegalArgumentException("the block size is " + blockSizeBytes + "; it can be 512 or 4096");
        }
        if (sizeBytes < blockSizeBytes) {
            throw new IllegalArgumentException(
                    "the size is " + sizeBytes + " bytes; it must be one block of " + blockSizeBytes + " at least");
        }
        if (ioQueues < 1 || ioQueues > MAXIMUM_IO_QUEUES) {
            throw new IllegalArgumentException(
                    "there are " + ioQueues + " I/O queues; there can be 1 to " + MAXIMUM_IO_QUEUES);
        }
        checkText("serial number", serial, 20);
        checkText("model", model, 40);
        checkText("firmware revision", firmware, 8);
    }

    // ASCII alone, space padded. NVMe base specification 2.0, 1.4.2.
    private static void checkText(String what, String text, int maximum) {
        if (text.length() > maximum || !text.chars().allMatch(c -> c >= ' ' && c <= '~')) {
            throw new IllegalArgumentException(
                    "the " + what + " is \"" + text + "\"; it has up to " + maximum + " printable ASCII characters");
        }
    }

    /**
     * The same with another size.
     *
     * @param bytes the namespace's size
     * @return the options
     */
    public NvmeOptions withSizeBytes(long bytes) {
        return new NvmeOptions(bytes, blockSizeBytes, serial, model, firmware, ioQueues, file);
    }

    /**
     * The same with another block size.
     *
     * @param bytes 512 or 4096
     * @return the options
     */
    public NvmeOptions withBlockSizeBytes(int bytes) {
        return new NvmeOptions(sizeBytes, bytes, serial, model, firmware, ioQueues, file);
    }

    /**
     * The same with another file.
     *
     * @param path the file that holds the namespace
     * @return the options
     */
    public NvmeOptions withFile(Path path) {
        return new NvmeOptions(sizeBytes, blockSizeBytes, serial, model, firmware, ioQueues, path);
    }
}
