package dev.outboard.emulation;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.outboard.linux.Fd;
import dev.outboard.memory.RegisterAccess;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A region of registers of a model, behind a base address register.
 *
 * @param index 0 to 5; a 64-bit BAR takes the next index too
 * @param sizeBytes a power of two, at least 16 (4 of ports)
 * @param space what kind of addresses it takes
 * @param access called for every access that comes by message, on the agent's thread
 * @param shared memory that the client may map, or null
 */
public record Bar(
        int index,
        long sizeBytes,
        Space space,
        RegisterAccess access,
        @Nullable SharedAreas shared) {
    /** What kind of addresses a region takes. */
    public enum Space {
        /** Memory below 4 GiB. */
        MEMORY_32,
        /** Memory anywhere; takes the next index too. */
        MEMORY_64,
        /** I/O ports. */
        PORTS
    }

    private static final long LEAST_MEMORY_BYTES = 16;
    private static final long LEAST_PORTS = 4;

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
        long least = space == Space.PORTS ? LEAST_PORTS : LEAST_MEMORY_BYTES;
        int last = space == Space.MEMORY_64 ? 4 : 5;
        if (index < 0 || index > last || sizeBytes < least || Long.bitCount(sizeBytes) != 1) {
            throw new IllegalArgumentException("BAR " + index + " of " + sizeBytes + " bytes: the index is 0 to " + last
                    + ", the size a power of two from " + least);
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
        return new Bar(index, sizeBytes, Space.MEMORY_32, access, null);
    }

    /**
     * A region that is memory, all of which the client may map.
     *
     * @param index 0 to 5
     * @param space what kind of addresses it takes
     * @param file the memory
     * @param memory the same as mapped here; its size is that of the region
     * @return the BAR
     */
    public static Bar ofMemory(int index, Space space, Fd file, MemorySegment memory) {
        long size = memory.byteSize();
        SharedAreas shared = new SharedAreas(file, List.of(new Area(0, size)));
        return new Bar(index, size, space, new Memory(memory), shared);
    }

    /** For clients that do not map it. */
    private record Memory(MemorySegment memory) implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            return switch (widthBytes) {
                case Byte.BYTES -> Byte.toUnsignedLong(memory.get(JAVA_BYTE, offset));
                case Short.BYTES -> Short.toUnsignedLong(memory.get(JAVA_SHORT_UNALIGNED, offset));
                case Integer.BYTES -> Integer.toUnsignedLong(memory.get(JAVA_INT_UNALIGNED, offset));
                default -> memory.get(JAVA_LONG_UNALIGNED, offset);
            };
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            switch (widthBytes) {
                case Byte.BYTES -> memory.set(JAVA_BYTE, offset, (byte) value);
                case Short.BYTES -> memory.set(JAVA_SHORT_UNALIGNED, offset, (short) value);
                case Integer.BYTES -> memory.set(JAVA_INT_UNALIGNED, offset, (int) value);
                default -> memory.set(JAVA_LONG_UNALIGNED, offset, value);
            }
        }
    }

    /**
     * I/O ports.
     *
     * @param index 0 to 5
     * @param count how many, a power of two from 4
     * @param access called for every access, on the agent's thread
     * @return the BAR
     */
    public static Bar ports(int index, long count, RegisterAccess access) {
        return new Bar(index, count, Space.PORTS, access, null);
    }
}
