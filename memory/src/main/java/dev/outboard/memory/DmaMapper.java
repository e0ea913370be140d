package dev.outboard.memory;

import dev.outboard.linux.Fd;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Makes memory reachable for a device: the part of {@link DmaAllocator} that differs from one access path to another. */
public interface DmaMapper {
    /**
     * Maps memory for reading and writing by the device.
     *
     * @param file the file that backs it, for mappers that pass it on
     * @param segment the same memory as mapped in this process, from its start
     * @param deviceAddress where the device shall find it; like the length a multiple of 2 MiB
     * @throws IOException if it cannot be mapped; the message says what to do
     */
    void map(Fd file, MemorySegment segment, long deviceAddress) throws IOException;

    /**
     * Takes a mapping away. After this the device reaches the memory no more. Does nothing if the device is gone.
     *
     * @param deviceAddress where it was mapped
     * @param sizeBytes its size
     */
    void unmap(long deviceAddress, long sizeBytes);
}
