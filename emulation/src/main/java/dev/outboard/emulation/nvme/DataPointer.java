package dev.outboard.emulation.nvme;

import dev.outboard.emulation.DmaSpace;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;

/**
 * Moves data between the controller and the memory that a command names, by PRP entries or by scatter gather lists. NVMe
 * base specification 2.0, 4.1. Pages that follow each other are copied at once.
 */
final class DataPointer {
    private static final int PAGE_BYTES = (int) DmaSpace.PAGE_BYTES;
    private static final long PAGE_OFFSET = PAGE_BYTES - 1;
    private static final long DWORD_OFFSET = Integer.BYTES - 1;
    private static final long QWORD_OFFSET = Long.BYTES - 1;

    private final DmaSpace dma;
    private final ScatterGatherList lists;
    private final HostList entries;

    DataPointer(DmaSpace dma) {
        this.dma = dma;
        lists = new ScatterGatherList(dma);
        entries = new HostList(dma);
    }

    /** Copies to the host what a command asked for. Returns a status. */
    int toHost(Command command, MemorySegment local, long offset, long length) {
        return transfer(true, command, local, offset, length);
    }

    /** Copies from the host what a command brings. Returns a status. */
    int fromHost(Command command, MemorySegment local, long offset, long length) {
        return transfer(false, command, local, offset, length);
    }

    private int transfer(boolean toHost, Command command, MemorySegment local, long offset, long length) {
        long first = command.qword(SubmissionEntry.PRP1);
        long second = command.qword(SubmissionEntry.PRP2);
        if (length == 0) {
            return Status.SUCCESS;
        }
        return switch (command.pointerKind()) {
            case SubmissionEntry.PSDT_PRP -> transfer(toHost, first, second, local, offset, length);
            case SubmissionEntry.PSDT_SGL, SubmissionEntry.PSDT_SGL_METADATA ->
                lists.transfer(toHost, first, second, local, offset, length, Status.DATA_SGL_LENGTH_INVALID);
            default -> Status.INVALID_FIELD;
        };
    }

    /** Copies metadata that lies in a buffer of its own, to the host or from it. Returns a status. */
    int metadata(boolean toHost, Command command, MemorySegment local, long offset, long length) {
        long pointer = command.qword(SubmissionEntry.MPTR);
        if (length == 0) {
            return Status.SUCCESS;
        }
        boolean isList = command.pointerKind() == SubmissionEntry.PSDT_SGL_METADATA;
        if (isList) {
            return (pointer & QWORD_OFFSET) == 0
                    ? lists.transferAt(toHost, pointer, local, offset, length, Status.METADATA_SGL_LENGTH_INVALID)
                    : Status.INVALID_SGL_SEGMENT;
        }
        // With PRP entries the buffer starts at a dword, with SGLs anywhere. 3.3.3.1.
        if (command.pointerKind() == SubmissionEntry.PSDT_PRP && (pointer & DWORD_OFFSET) != 0) {
            return command.invalid(SubmissionEntry.MPTR);
        }
        return copy(toHost, pointer, local, offset, length) ? Status.SUCCESS : Status.DATA_TRANSFER_ERROR;
    }

    /** Copies to the host: what a read does. Returns a status. */
    int toHost(long prp1, long prp2, MemorySegment local, long offset, long length) {
        return transfer(true, prp1, prp2, local, offset, length);
    }

    /** Copies from the host: what a write does. Returns a status. */
    int fromHost(long prp1, long prp2, MemorySegment local, long offset, long length) {
        return transfer(false, prp1, prp2, local, offset, length);
    }

    private int transfer(boolean toHost, long prp1, long prp2, MemorySegment local, long offset, long length) {
        if ((prp1 & DWORD_OFFSET) != 0) {
            return Status.PRP_OFFSET_INVALID;
        }
        long first = Math.min(length, PAGE_BYTES - (prp1 & PAGE_OFFSET));
        if (first == length) {
            return copy(toHost, prp1, local, offset, length) ? Status.SUCCESS : Status.DATA_TRANSFER_ERROR;
        }
        if (length - first > PAGE_BYTES) {
            return transferList(toHost, prp1, first, prp2, local, offset, length);
        }
        if ((prp2 & PAGE_OFFSET) != 0) {
            return Status.PRP_OFFSET_INVALID;
        }
        boolean copied = prp2 == prp1 + first
                ? copy(toHost, prp1, local, offset, length)
                : copy(toHost, prp1, local, offset, first) && copy(toHost, prp2, local, offset + first, length - first);
        return copied ? Status.SUCCESS : Status.DATA_TRANSFER_ERROR;
    }

    private int transferList(
            boolean toHost, long prp1, long first, long list, MemorySegment local, long offset, long length) {
        if ((list & QWORD_OFFSET) != 0) {
            return Status.PRP_OFFSET_INVALID;
        }
        long runAddress = prp1;
        long runBytes = first;
        long done = 0;
        long listAddress = list;
        boolean opened = false;
        while (done + runBytes < length) {
            long remaining = length - done - runBytes;
            if (!opened && !entries.open(listAddress, PAGE_BYTES - (listAddress & PAGE_OFFSET))) {
                return Status.DATA_TRANSFER_ERROR;
            }
            opened = true;
            long entry = entries.word(listAddress);
            if ((entry & PAGE_OFFSET) != 0) {
                return Status.PRP_OFFSET_INVALID;
            }
            boolean lastOfPage = (listAddress & PAGE_OFFSET) == PAGE_BYTES - Long.BYTES;
            if (lastOfPage && remaining > PAGE_BYTES) {
                // The last entry of a page points to the rest of the list, at a page's start: this cannot go in circles
                // without data.
                listAddress = entry;
                opened = false;
                continue;
            }
            listAddress += Long.BYTES;
            long bytes = Math.min(remaining, PAGE_BYTES);
            if (entry == runAddress + runBytes) {
                runBytes += bytes;
            } else {
                if (!copy(toHost, runAddress, local, offset + done, runBytes)) {
                    return Status.DATA_TRANSFER_ERROR;
                }
                done += runBytes;
                runAddress = entry;
                runBytes = bytes;
            }
        }
        return copy(toHost, runAddress, local, offset + done, runBytes) ? Status.SUCCESS : Status.DATA_TRANSFER_ERROR;
    }

    private boolean copy(boolean toHost, long address, MemorySegment local, long offset, long length) {
        return toHost ? dma.write(address, local, offset, length) : dma.read(address, local, offset, length);
    }
}
