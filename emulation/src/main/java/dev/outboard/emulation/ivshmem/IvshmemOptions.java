package dev.outboard.emulation.ivshmem;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a model of QEMU's shared memory device shall be.
 *
 * @param sizeBytes the size of the memory, a power of two from a page up; with {@code peers} the server's counts
 * @param vectors how many interrupt vectors it has; 0 is ivshmem-plain, which has no doorbell
 * @param memory the file that is the memory; null for memory that nobody else has
 * @param peers the socket of an ivshmem server, whose memory it is and who introduces peers; the model becomes that server if
 *     nothing is there. Null if there are no peers
 */
public record IvshmemOptions(
        long sizeBytes,
        int vectors,
        @Nullable Path memory,
        @Nullable Path peers) {
    /** 1 MiB of memory, four vectors, alone. */
    public static final IvshmemOptions DEFAULT = new IvshmemOptions(1 << 20, 4, null, null);

    private static final int MOST_VECTORS = 256;
    private static final long LEAST_BYTES = 4096;

    /** Checks the numbers, and that memory comes from one place. */
    public IvshmemOptions {
        checkSize("the size", sizeBytes);
        if (vectors < 0 || vectors > MOST_VECTORS) {
            throw new IllegalArgumentException(vectors + " vectors; there can be " + MOST_VECTORS);
        }
        if (peers != null && memory != null) {
            throw new IllegalArgumentException("with peers the memory is their server's: leave the file out");
        }
        if (peers != null && vectors == 0) {
            throw new IllegalArgumentException("a device without vectors has no peers; it can share a file");
        }
    }

    static void checkSize(String what, long sizeBytes) {
        if (sizeBytes < LEAST_BYTES || Long.bitCount(sizeBytes) != 1) {
            throw new IllegalArgumentException(
                    what + " is " + sizeBytes + "; a BAR takes a power of two from " + LEAST_BYTES);
        }
    }

    /**
     * The same with other peers.
     *
     * @param server their server's socket
     * @return the options
     */
    public IvshmemOptions withPeers(Path server) {
        return new IvshmemOptions(sizeBytes, vectors, null, server);
    }
}
