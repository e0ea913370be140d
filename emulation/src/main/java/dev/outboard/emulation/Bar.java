package dev.outboard.emulation;

import dev.outboard.linux.Fd;
import dev.outboard.memory.RegisterAccess;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A region of registers of a model, behind a base address register.
 *
 * @param index 0 to 5; a 64-bit BAR takes the next index too
 * @param sizeBytes a power of two, at least 16
 * @param is64Bit whether it can lie above 4 GiB
 * @param access called for every access that comes by message, on the agent's thread
 * @param shared memory that the client may map, or null
 */
public record Bar(
        int index,
        long sizeBytes,
        boolean is64Bit,
        RegisterAccess access,
        @Nullable SharedAreas shared) {
    /**
     * Parts of a region that the client may map, so that it reaches them without a message.
     *
     * @param file memory as large as the region; offsets in it are offsets in the region
     * @param areas where the client may map it, in whole pages
     */
    public record SharedAreas(Fd file, List<Area> areas) {
        /** Copies the list. */
        public SharedAreas {
            areas = List.copyOf(areas);
        }
    }

    /**
     * A part of a region.
     *
     * @param offset where it starts, in bytes
     * @param sizeBytes its size
     */
    public record Area(long offset, long sizeBytes) {}

    /** Checks index and size. */
    public Bar {
        if (index < 0 || index + (is64Bit ? 1 : 0) > 5 || sizeBytes < 16 || Long.bitCount(sizeBytes) != 1) {
            throw new IllegalArgumentException("BAR " + index + " of " + sizeBytes
                    + " bytes: the index is 0 to 5 (to 4 with 64 bits), the size a power of two from 16");
        }
    }

    /**
     * A region that is reached by messages alone.
     *
     * @param index 0 to 5
     * @param sizeBytes a power of two, at least 16
     * @param access called for every access, on the agent's thread
     * @return the BAR, of 32 bits
     */
    public static Bar of(int index, long sizeBytes, RegisterAccess access) {
        return new Bar(index, sizeBytes, false, access, null);
    }
}
