package dev.outboard.emulation.nvme;

import dev.outboard.emulation.DmaSpace;
import dev.outboard.specs.nvme.Sgl;
import dev.outboard.specs.nvme.Status;
import java.lang.foreign.MemorySegment;

/**
 * Moves data between the controller and the memory that a scatter gather list names. NVMe base specification 2.0, 4.1.2.
 * A list may be longer than its data.
 */
final class ScatterGatherList {
    // Segments may lead to each other: somewhere it must end.
    private static final int MAXIMUM_DESCRIPTORS = 1 << 16;
    // A segment counts as so many: it may take a message to the client to see it.
    private static final int SEGMENT_COST = 16;
    private static final int IDENTIFIER_SHIFT = (int) (Sgl.IDENTIFIER - Sgl.LENGTH) * Byte.SIZE;

    private final DmaSpace dma;
    private final HostList descriptors;
    private boolean toHost;
    private MemorySegment local = MemorySegment.NULL;
    private long position;
    private long end;
    private int shortStatus;

    ScatterGatherList(DmaSpace dma) {
        this.dma = dma;
        descriptors = new HostList(dma);
    }

    /**
     * Transfers all of a range of the controller's memory. The descriptor is the two words of the command's data pointer;
     * {@code lengthStatus} is what it means that the list is too short.
     */
    int transfer(
            boolean direction,
            long first,
            long second,
            MemorySegment memory,
            long offset,
            long length,
            int lengthStatus) {
        toHost = direction;
        local = memory;
        position = offset;
        end = offset + length;
        shortStatus = lengthStatus;
        int identifier = identifier(second);
        return isSegment(identifier)
                ? segments(first, length(second), (int) Sgl.TYPE.get(identifier))
                : finish(move(first, second));
    }

    /** Transfers through the one descriptor at an address, which may be that of a segment. */
    int transferAt(
            boolean direction, long descriptor, MemorySegment memory, long offset, long length, int lengthStatus) {
        if (!descriptors.open(descriptor, Sgl.SIZE_BYTES)) {
            return Status.DATA_TRANSFER_ERROR;
        }
        long first = descriptors.word(descriptor + Sgl.ADDRESS);
        long second = descriptors.word(descriptor + Sgl.LENGTH);
        return transfer(direction, first, second, memory, offset, length, lengthStatus);
    }

    private int segments(long firstAddress, long firstBytes, int firstType) {
        long address = firstAddress;
        long bytes = firstBytes;
        int type = firstType;
        int budget = MAXIMUM_DESCRIPTORS;
        while (bytes != 0 && bytes % Sgl.SIZE_BYTES == 0) {
            long part = Math.min(bytes, HostList.MAXIMUM_BYTES);
            budget -= SEGMENT_COST;
            if (!descriptors.open(address, part)) {
                return Status.DATA_TRANSFER_ERROR;
            }
            bytes -= part;
            long stop = address + part;
            long next = stop;
            for (long at = address; at != stop; at += Sgl.SIZE_BYTES) {
                if (--budget < 0) {
                    return Status.INVALID_SGL_COUNT;
                }
                if (position == end) {
                    return Status.SUCCESS;
                }
                long first = descriptors.word(at + Sgl.ADDRESS);
                long second = descriptors.word(at + Sgl.LENGTH);
                if (!isSegment(identifier(second))) {
                    int status = move(first, second);
                    if (status != Status.SUCCESS) {
                        return status;
                    }
                } else if (type == Sgl.LAST_SEGMENT || bytes != 0 || at + Sgl.SIZE_BYTES != stop) {
                    return Status.INVALID_SGL_SEGMENT;
                } else {
                    next = first;
                    bytes = length(second);
                    type = (int) Sgl.TYPE.get(identifier(second));
                    if (bytes == 0) {
                        return Status.INVALID_SGL_SEGMENT;
                    }
                }
            }
            address = next;
            if (bytes == 0) {
                // Only the last segment may end without a pointer to the next.
                return position == end
                        ? Status.SUCCESS
                        : type == Sgl.LAST_SEGMENT ? shortStatus : Status.INVALID_SGL_SEGMENT;
            }
        }
        return Status.INVALID_SGL_SEGMENT;
    }

    private int finish(int status) {
        return status != Status.SUCCESS || position == end ? status : shortStatus;
    }

    private int move(long address, long second) {
        int identifier = identifier(second);
        if (Sgl.SUBTYPE.get(identifier) != 0) {
            return Status.SGL_TYPE_INVALID;
        }
        long bytes = Math.min(length(second), end - position);
        switch ((int) Sgl.TYPE.get(identifier)) {
            case Sgl.DATA_BLOCK -> {
                boolean moved =
                        toHost ? dma.write(address, local, position, bytes) : dma.read(address, local, position, bytes);
                if (!moved) {
                    return Status.DATA_TRANSFER_ERROR;
                }
                position += bytes;
            }
            case Sgl.BIT_BUCKET -> {
                // On the way to the controller there is nothing to throw away.
                if (toHost) {
                    position += bytes;
                }
            }
            default -> {
                return Status.SGL_TYPE_INVALID;
            }
        }
        return Status.SUCCESS;
    }

    private static boolean isSegment(int identifier) {
        long type = Sgl.TYPE.get(identifier);
        return (type == Sgl.SEGMENT || type == Sgl.LAST_SEGMENT) && Sgl.SUBTYPE.get(identifier) == 0;
    }

    private static int identifier(long second) {
        return (int) (second >>> IDENTIFIER_SHIFT);
    }

    private static long length(long second) {
        return second & 0xffff_ffffL;
    }
}
