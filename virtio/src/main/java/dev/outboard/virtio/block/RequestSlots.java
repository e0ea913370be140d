package dev.outboard.virtio.block;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.virtio.VirtioBlk;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * What requests hold besides their data: header, range, serial number and status, of each request in a cache line of its
 * own that the device reaches.
 */
final class RequestSlots implements AutoCloseable {
    private static final int SLOT_BYTES = 64;
    private static final int RANGE_AT = VirtioBlk.HEADER_BYTES;
    private static final int ID_AT = RANGE_AT + VirtioBlk.RANGE_BYTES;
    private static final int STATUS_AT = SLOT_BYTES - VirtioBlk.STATUS_BYTES;
    /** What no device reports. */
    private static final byte NO_STATUS = -1;

    private final DmaMemory slots;
    private final MemorySegment memory;

    RequestSlots(DmaAllocator dma, int count) throws IOException {
        slots = dma.allocate((long) count * SLOT_BYTES);
        memory = slots.segment();
    }

    private static long at(int slot) {
        return (long) slot * SLOT_BYTES;
    }

    long headerAddress(int slot) {
        return slots.deviceAddress() + at(slot);
    }

    long rangeAddress(int slot) {
        return headerAddress(slot) + RANGE_AT;
    }

    long idAddress(int slot) {
        return headerAddress(slot) + ID_AT;
    }

    long statusAddress(int slot) {
        return headerAddress(slot) + STATUS_AT;
    }

    /** Begins a request, whose status is none until the device has written one. */
    void set(int slot, int type, long sector) {
        memory.set(JAVA_LONG, at(slot) + VirtioBlk.HEADER_TYPE, type);
        memory.set(JAVA_LONG, at(slot) + VirtioBlk.HEADER_SECTOR, sector);
        memory.set(JAVA_BYTE, at(slot) + STATUS_AT, NO_STATUS);
    }

    void setRange(int slot, long sector, int sectors, int flags) {
        long at = at(slot) + RANGE_AT;
        memory.set(JAVA_LONG, at + VirtioBlk.RANGE_SECTOR, sector);
        memory.set(JAVA_INT, at + VirtioBlk.RANGE_SECTORS, sectors);
        memory.set(JAVA_INT, at + VirtioBlk.RANGE_FLAGS, flags);
    }

    int status(int slot) {
        return memory.get(JAVA_BYTE, at(slot) + STATUS_AT) & 0xff;
    }

    void clearId(int slot) {
        memory.asSlice(at(slot) + ID_AT, VirtioBlk.ID_BYTES).fill((byte) 0);
    }

    /** The serial number that the device has written. It ends at the first zero, if there is one. */
    String id(int slot) {
        byte[] text = memory.asSlice(at(slot) + ID_AT, VirtioBlk.ID_BYTES).toArray(JAVA_BYTE);
        int length = 0;
        while (length < text.length && text[length] != 0) {
            length++;
        }
        return new String(text, 0, length, StandardCharsets.ISO_8859_1).strip();
    }

    @Override
    public void close() {
        slots.close();
    }
}
