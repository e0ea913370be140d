package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DmaAllocator.AddressRange;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The controller memory buffer: memory of the controller, which it reaches without the host's. The host stores there by
 * registers only, slowly: it is for what the controller fetches and the host seldom looks at, and for data that go from one
 * device to another. NVMe base specification 2.0, 8.5 and 3.1.3.11.
 *
 * <p>Safe for use by several threads.
 */
public final class ControllerMemory {
    private static final long SMALLEST_UNIT_BYTES = 4096;
    private static final int UNIT_SHIFT = 4;
    /** Where the buffer is for the controller whose BARs have no address; DMA memory is far below. */
    private static final long WITHOUT_BAR_ADDRESS = 1L << 40;

    private static final int TYPE_64_BIT = 2;

    private final ControllerAccess access;
    private final Registers registers;
    private final long deviceAddress;
    private final long size;
    /** CMBSZ, which also says what may lie there. */
    private final long capabilities;

    private final boolean holdsSubmissionQueues;
    /** What is free: sizes by their offsets. */
    private final NavigableMap<Long, Long> free = new TreeMap<>();

    /**
     * A piece of the buffer.
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
                    give(offset, pages(bytes));
                }
            }
        }
    }

    private ControllerMemory(
            ControllerAccess access, Registers registers, long deviceAddress, long capabilities, boolean forQueues) {
        this.access = access;
        this.registers = registers;
        this.deviceAddress = deviceAddress;
        this.capabilities = capabilities;
        size = registers.sizeBytes();
        holdsSubmissionQueues = forQueues && takesSubmissionQueues();
        free.put(0L, size);
    }

    /**
     * Finds the buffer of a controller that is not enabled yet, and has it answer; null if there is none. Before version
     * 1.4 it was there by itself, where its BAR is.
     *
     * @param forQueues whether submission queues shall lie there, too
     */
    static @Nullable ControllerMemory find(ControllerAccess access, boolean forQueues) throws IOException {
        Registers controller = access.registers();
        if (NvmeRegisters.CAP_CMBS.isSet(access.capabilities())) {
            controller.write(NvmeRegisters.CMBMSC, NvmeRegisters.CMBMSC_CRE.of(1));
        }
        // Earlier controllers have reserved registers here, which read 0.
        long sizeWord = controller.read(NvmeRegisters.CMBSZ);
        long unit = SMALLEST_UNIT_BYTES << (UNIT_SHIFT * NvmeRegisters.CMBSZ_SZU.get(sizeWord));
        long size = unit * NvmeRegisters.CMBSZ_SZ.get(sizeWord);
        if (size == 0) {
            return null;
        }
        long location = controller.read(NvmeRegisters.CMBLOC);
        int index = (int) NvmeRegisters.CMBLOC_BIR.get(location);
        long offset = unit * NvmeRegisters.CMBLOC_OFST.get(location);
        if (index >= PciConfiguration.BARS) {
            throw nonsense(access, "BAR " + index, offset, size);
        }
        Registers bar = access.function().bar(index);
        if (offset < 0 || size < 0 || offset > bar.sizeBytes() - size) {
            throw nonsense(access, bar.toString(), offset, size);
        }
        long barAddress = addressOf(access.function(), index);
        long address = barAddress == 0 ? WITHOUT_BAR_ADDRESS : barAddress + offset;
        access.dma().reserve(new AddressRange(address, address + size - 1));
        ControllerMemory memory = new ControllerMemory(access, bar.slice(offset, size), address, sizeWord, forQueues);
        memory.enable();
        return memory;
    }

    private static DeviceException nonsense(ControllerAccess access, String bar, long offset, long size) {
        return new DeviceException(access + " says that its controller memory buffer are " + size + " bytes at 0x"
                + Long.toHexString(offset) + " of " + bar + ", which cannot be; open it without");
    }

    /** Where a BAR is on the bus; 0 if nobody has given it an address, as with devices that are no hardware. */
    private static long addressOf(PciFunction function, int index) {
        Registers configuration = function.configuration();
        long low = configuration.read(PciConfiguration.BAR.at(index));
        boolean isLong = PciConfiguration.BAR_TYPE.get(low) == TYPE_64_BIT && index + 1 < PciConfiguration.BARS;
        long high = isLong ? configuration.read(PciConfiguration.BAR.at(index + 1)) : 0;
        return (low & PciConfiguration.BAR_MEMORY_ADDRESS.mask()) | high << Integer.SIZE;
    }

    /** Tells the controller where its memory is; again after a reset of its function. */
    void enable() throws DeviceException {
        if (NvmeRegisters.CAP_CMBS.isSet(access.capabilities())) {
            Registers controller = access.registers();
            long control = NvmeRegisters.CMBMSC_CRE.of(1) | NvmeRegisters.CMBMSC_CMSE.of(1) | deviceAddress;
            // The half with the switches comes last: QEMU takes one half after the other, whoever writes both at once.
            long low = NvmeRegisters.CMBMSC.offset();
            controller.write32(low + Integer.BYTES, (int) (control >>> Integer.SIZE));
            controller.write32(low, (int) control);
            if (NvmeRegisters.CMBSTS_CBAI.isSet(controller.read(NvmeRegisters.CMBSTS))) {
                throw new DeviceException(access + " does not take 0x" + Long.toHexString(deviceAddress)
                        + " for the address of its controller memory buffer; open it without");
            }
        }
    }

    /**
     * Its size.
     *
     * @return bytes, of which some may be in use by submission queues
     */
    public long sizeBytes() {
        return size;
    }

    /**
     * Whether submission queues may lie there (SQS).
     *
     * @return what the controller says
     */
    public boolean takesSubmissionQueues() {
        return NvmeRegisters.CMBSZ_SQS.isSet(capabilities);
    }

    /**
     * Whether data that the controller reads from its media may go there (RDS).
     *
     * @return what the controller says
     */
    public boolean takesReads() {
        return NvmeRegisters.CMBSZ_RDS.isSet(capabilities);
    }

    /**
     * Whether data that the controller writes to its media may come from there (WDS).
     *
     * @return what the controller says
     */
    public boolean takesWrites() {
        return NvmeRegisters.CMBSZ_WDS.isSet(capabilities);
    }

    /**
     * Takes a piece, at a page of the controller's.
     *
     * @param bytes how much, from 1 on
     * @return the piece, with whatever was there before
     * @throws IOException if there is not so much left
     */
    public Piece allocate(long bytes) throws IOException {
        if (bytes < 1) {
            throw new IllegalArgumentException("a piece of memory has 1 byte or more, not " + bytes);
        }
        long needed = pages(bytes);
        synchronized (free) {
            for (long offset : List.copyOf(free.keySet())) {
                long left = free.getOrDefault(offset, 0L) - needed;
                if (left >= 0) {
                    free.remove(offset);
                    if (left > 0) {
                        free.put(offset + needed, left);
                    }
                    return new Piece(offset, bytes);
                }
            }
        }
        throw new IOException("no room for " + bytes + " bytes in the controller memory of " + access + ", which has "
                + size + "; close what is no longer needed of it");
    }

    /** Takes a piece for a submission queue; null if these are to lie elsewhere, or there is not so much left. */
    @Nullable
    Piece allocateSubmissionQueue(long bytes) {
        try {
            return holdsSubmissionQueues ? allocate(bytes) : null;
        } catch (IOException full) {
            return null;
        }
    }

    private long pages(long bytes) {
        return Math.ceilDiv(bytes, (long) access.pageBytes()) * access.pageBytes();
    }

    private void give(long offset, long bytes) {
        long start = offset;
        long end = offset + bytes;
        Map.Entry<Long, Long> before = free.floorEntry(offset);
        if (before != null && before.getKey() + before.getValue() == offset) {
            start = before.getKey();
        }
        Long after = free.remove(end);
        free.put(start, end - start + Objects.requireNonNullElse(after, 0L));
    }

    @Override
    public String toString() {
        return "controller memory buffer of " + access + ": " + size + " bytes";
    }
}
