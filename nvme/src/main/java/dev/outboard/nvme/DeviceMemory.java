package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DmaAllocator.AddressRange;
import dev.outboard.memory.DmaLimits;
import dev.outboard.memory.FreeRanges;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;

/**
 * Memory of the controller, in a BAR, which it reaches without the host's. The host stores there by registers only, slowly.
 *
 * <p>Safe for use by several threads.
 */
public abstract sealed class DeviceMemory permits ControllerMemory, PersistentMemory {
    private static final int TYPE_64_BIT = 2;

    private final String name;
    private final long pageBytes;
    private final Registers registers;
    private final long deviceAddress;
    private final FreeRanges free;

    /**
     * A piece of the memory.
     *
     * <p>Methods may be called from any thread.
     */
    public final class Piece implements AutoCloseable {
        private final long offset;
        private final long bytes;
        private boolean closed;

        private Piece(long offset, long bytes) {
            this.offset = offset;
            this.bytes = bytes;
        }

        /**
         * Where the host finds it.
         *
         * @return device memory: not to be accessed otherwise
         */
        public Registers registers() {
            return registers.slice(offset, bytes);
        }

        /**
         * Where the controller finds it.
         *
         * @return what a command names
         */
        public long deviceAddress() {
            return deviceAddress + offset;
        }

        /**
         * Its size.
         *
         * @return bytes
         */
        public long sizeBytes() {
            return bytes;
        }

        /** Gives it back; nothing on its way may use it any more. */
        @Override
        public void close() {
            synchronized (free) {
                if (!closed) {
                    closed = true;
                    free.give(offset, bytes);
                }
            }
        }
    }

    /**
     * Memory that is there.
     *
     * @param name what messages call it
     * @param place where the host finds it
     * @param deviceAddress where the controller finds it
     */
    DeviceMemory(String name, ControllerAccess access, Registers place, long deviceAddress) {
        this.name = name + " of " + access;
        pageBytes = access.pageBytes();
        registers = place;
        this.deviceAddress = deviceAddress;
        free = new FreeRanges(deviceAddress, place.sizeBytes(), pageBytes);
    }

    /** The part of a BAR that a controller says its memory is in; refused if it cannot be. */
    static Registers inBar(String name, ControllerAccess access, int index, long offset, long size) throws IOException {
        if (index >= PciConfiguration.BARS) {
            throw nonsense(name, access, "BAR " + index, offset, size);
        }
        Registers bar = access.function().bar(index);
        if (offset < 0 || size < 0 || offset > bar.sizeBytes() - size) {
            throw nonsense(name, access, bar.toString(), offset, size);
        }
        return bar.slice(offset, size);
    }

    private static DeviceException nonsense(String name, ControllerAccess access, String bar, long offset, long size) {
        return new DeviceException(access + " says that its " + name + " are " + size + " bytes at 0x"
                + Long.toHexString(offset) + " of " + bar + ", which cannot be; open it without");
    }

    /**
     * The address that the controller shall find its memory at: where its BAR is, so that other devices find it there, too.
     *
     * @param otherwise where it shall be if its BAR has no address
     */
    static long place(ControllerAccess access, int index, long offset, long size, long otherwise) throws IOException {
        long bar = addressOf(access.function(), index);
        long address = bar == 0 ? otherwise : bar + offset;
        access.dma().reserve(new AddressRange(address, address + size - 1));
        return address;
    }

    /** Where a BAR is on the bus; 0 if nobody has given it an address, as with devices that are no hardware. */
    private static long addressOf(PciFunction function, int index) {
        Registers configuration = function.configuration();
        long low = configuration.read(PciConfiguration.BAR.at(index));
        boolean isLong = PciConfiguration.BAR_TYPE.get(low) == TYPE_64_BIT && index + 1 < PciConfiguration.BARS;
        long high = isLong ? configuration.read(PciConfiguration.BAR.at(index + 1)) : 0;
        return (low & PciConfiguration.BAR_MEMORY_ADDRESS.mask()) | high << Integer.SIZE;
    }

    /** Tells the controller where its memory is; again after a reset. */
    abstract void enable() throws IOException;

    /** Where the host finds it. */
    Registers registers() {
        return registers;
    }

    /** Where the controller finds it. */
    long deviceAddress() {
        return deviceAddress;
    }

    /**
     * Its size.
     *
     * @return bytes, of which some may be in use
     */
    public long sizeBytes() {
        return registers.sizeBytes();
    }

    /**
     * Whether data that the controller reads from its media may go there (RDS).
     *
     * @return what the controller says
     */
    public abstract boolean takesReads();

    /**
     * Whether data that the controller writes to its media may come from there (WDS).
     *
     * @return what the controller says
     */
    public abstract boolean takesWrites();

    /**
     * Takes a piece, at a page of the controller's: the lowest that is free.
     *
     * @param bytes how much, from 1 on
     * @return the piece, with whatever was there before
     * @throws IOException if there is not so much left
     */
    public Piece allocate(long bytes) throws IOException {
        if (bytes < 1) {
            throw new IllegalArgumentException("a piece of memory has 1 byte or more, not " + bytes);
        }
        synchronized (free) {
            long offset = free.take(bytes, DmaLimits.NONE.alignedTo(pageBytes)).orElse(-1);
            if (offset >= 0) {
                return new Piece(offset, bytes);
            }
        }
        throw new IOException("no room for " + bytes + " bytes in the " + name + ", which has " + sizeBytes()
                + "; close what is no longer needed of it");
    }

    @Override
    public String toString() {
        return name + ": " + sizeBytes() + " bytes";
    }
}
