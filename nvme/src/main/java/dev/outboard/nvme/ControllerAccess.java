package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What both the controller and its queues need to reach the hardware.
 *
 * @param function the PCI function
 * @param registers BAR 0
 * @param capabilities the register CAP
 * @param pageBytes the memory page size that the controller is told
 * @param quirks what it does otherwise than others
 * @param shadowDoorbells the shadows of I/O queues' doorbells; null if there are none
 * @param memory the controller memory buffer; null if it is not used
 * @param persistentMemory the persistent memory region; null if it is not used
 */
record ControllerAccess(
        PciFunction function,
        Registers registers,
        long capabilities,
        int pageBytes,
        Set<Quirk> quirks,
        @Nullable ShadowDoorbells shadowDoorbells,
        @Nullable ControllerMemory memory,
        @Nullable PersistentMemory persistentMemory) {
    private static final int SMALLEST_PAGE_SHIFT = 12;
    private static final int STORAGE = 0x01;
    private static final int NON_VOLATILE_MEMORY = 0x08;
    private static final int ABSENT_VENDOR = 0xffff;
    private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(5);
    private static final long SHUTDOWN_POLL_NANOS = 50_000;
    private static final long SHUTDOWN_NORMAL = 1;
    private static final long SHUTDOWN_COMPLETE = 2;
    /** What {@link Quirk#NO_QUEUE_SIZE} means. */
    private static final int MEANT_QUEUE_ENTRIES = 64;
    /** Access paths whose devices are programs: what they map is memory. */
    private static final Set<String> SERVED_PATHS = Set.of("vfio-user", "model");

    /** Takes a first look at the registers, and checks that this driver can run the controller. */
    static ControllerAccess of(PciFunction function) throws IOException {
        checkClass(function);
        Registers registers = function.bar(0);
        if (registers.sizeBytes() < NvmeRegisters.DOORBELLS + 2 * Long.BYTES) {
            throw new DeviceException(function.address() + " is no NVMe controller: its BAR 0 has only "
                    + registers.sizeBytes() + " bytes");
        }
        long capabilities = registers.read(NvmeRegisters.CAP);
        function.checkPresent();
        if (capabilities == -1) {
            throw new DeviceGoneException(function.address() + " reads all ones: it is gone, or powered down", null);
        }
        if ((NvmeRegisters.CAP_CSS.get(capabilities) & 1) == 0) {
            throw new DeviceException(function.address() + " does not have the NVM command set (CAP is 0x"
                    + Long.toHexString(capabilities) + "): it is no NVMe controller that this driver can run");
        }
        Set<Quirk> quirks = quirks(function);
        if (NvmeRegisters.CAP_MQES.get(capabilities) < 1 && !quirks.contains(Quirk.NO_QUEUE_SIZE)) {
            throw new DeviceException(function.address() + " allows queues of one entry only (CAP.MQES is 0),"
                    + " which the specification forbids");
        }
        int pageBytes = 1 << (SMALLEST_PAGE_SHIFT + (int) NvmeRegisters.CAP_MPSMIN.get(capabilities));
        if (pageBytes > DmaAllocator.CHUNK_BYTES) {
            throw new DeviceException(function.address() + " needs memory pages of " + pageBytes
                    + " bytes or more (CAP.MPSMIN), and this driver's have up to " + DmaAllocator.CHUNK_BYTES);
        }
        return new ControllerAccess(function, registers, capabilities, pageBytes, quirks, null, null, null);
    }

    private static Set<Quirk> quirks(PciFunction function) throws DeviceException {
        Registers configuration = function.configuration();
        long vendor = configuration.read(PciConfiguration.VENDOR_ID);
        long device = configuration.read(PciConfiguration.DEVICE_ID);
        Set<Quirk> quirks = Quirk.of((int) vendor, (int) device);
        if (quirks.contains(Quirk.FOREIGN_QUEUES)) {
            throw new DeviceException(String.format(
                    "%s is a controller %04x:%04x, whose queues have entries of 128 bytes and share the identifiers of"
                            + " their commands: this driver cannot run it; leave it to the kernel",
                    function.address(), vendor, device));
        }
        return quirks;
    }

    /** A device that is something else may do anything when it is read or written as a controller. PCI 3.0, appendix D. */
    private static void checkClass(PciFunction function) throws IOException {
        Registers configuration = function.configuration();
        long base = configuration.read(PciConfiguration.BASE_CLASS);
        long sub = configuration.read(PciConfiguration.SUBCLASS);
        long vendor = configuration.read(PciConfiguration.VENDOR_ID);
        long device = configuration.read(PciConfiguration.DEVICE_ID);
        function.checkPresent();
        // What is gone, too, reads all ones: that is for the registers to say.
        if (vendor != ABSENT_VENDOR && (base != STORAGE || sub != NON_VOLATILE_MEMORY)) {
            throw new DeviceException(String.format(
                    "%s is no NVMe controller: it is %04x:%04x of PCI class %02x%02x, and a controller has class %02x%02x",
                    function.address(), vendor, device, base, sub, STORAGE, NON_VOLATILE_MEMORY));
        }
    }

    /**
     * What an access to registers means that failed.
     *
     * @param fault an {@link InternalError} if it raised SIGBUS, see {@link Registers}, or an {@link UncheckedIOException}
     *     if it was refused
     */
    static IOException failure(PciFunction function, Throwable fault) {
        return fault.getCause() instanceof IOException refused
                ? refused
                : new DeviceGoneException(
                        function.address() + " does not answer at its registers: it is gone, or its memory is disabled",
                        fault);
    }

    IOException failure(Throwable fault) {
        return failure(function, fault);
    }

    /** CSTS, which does not read all ones. */
    long status() throws IOException {
        long status;
        try {
            status = registers.read(NvmeRegisters.CSTS);
        } catch (InternalError | UncheckedIOException e) {
            throw failure(e);
        }
        if (status == NvmeRegisters.CSTS_ALL_ONES) {
            function.checkPresent();
            throw new DeviceGoneException(this + " reads all ones: it is gone, or powered down", null);
        }
        return status;
    }

    DmaAllocator dma() {
        return function.dma();
    }

    /** CC.MPS. */
    int pageSizeExponent() {
        return Integer.numberOfTrailingZeros(pageBytes) - SMALLEST_PAGE_SHIFT;
    }

    boolean has(Quirk quirk) {
        return quirks.contains(quirk);
    }

    int maximumQueueEntries() {
        int entries = (int) NvmeRegisters.CAP_MQES.get(capabilities) + 1;
        return entries == 1 && has(Quirk.NO_QUEUE_SIZE) ? MEANT_QUEUE_ENTRIES : entries;
    }

    ControllerAccess withShadowDoorbells(ShadowDoorbells shadows) {
        return new ControllerAccess(
                function, registers, capabilities, pageBytes, quirks, shadows, memory, persistentMemory);
    }

    ControllerAccess withMemory(ControllerMemory buffer) {
        return new ControllerAccess(
                function, registers, capabilities, pageBytes, quirks, shadowDoorbells, buffer, persistentMemory);
    }

    ControllerAccess withPersistentMemory(PersistentMemory region) {
        return new ControllerAccess(
                function, registers, capabilities, pageBytes, quirks, shadowDoorbells, memory, region);
    }

    Doorbell submissionTail(int queue) throws DeviceException {
        return doorbell(queue, NvmeRegisters.submissionTailDoorbell(queue, doorbellStride()));
    }

    Doorbell completionHead(int queue) throws DeviceException {
        return doorbell(queue, NvmeRegisters.completionHeadDoorbell(queue, doorbellStride()));
    }

    private Doorbell doorbell(int queue, long offset) throws DeviceException {
        return new Doorbell(
                doorbellRegister(offset), shadowDoorbells == null || queue == 0 ? null : shadowDoorbells.at(offset));
    }

    /** The register of one doorbell; the smallest slice, so that it is mapped if the doorbell is. */
    private Registers doorbellRegister(long offset) throws DeviceException {
        long start = NvmeRegisters.DOORBELLS + offset;
        if (start + Integer.BYTES > registers.sizeBytes()) {
            throw new DeviceException(function.address() + " has no doorbell at 0x" + Long.toHexString(start)
                    + " in its BAR 0 of " + registers.sizeBytes() + " bytes; use fewer queues");
        }
        return registers.slice(start, Integer.BYTES);
    }

    /** Whether ringing a doorbell is a store to memory that a device server polls. */
    boolean hasDoorbellsInMemory() throws DeviceException {
        boolean isServed = SERVED_PATHS.contains(function.address().path());
        return isServed && doorbellRegister(0).isMapped();
    }

    /** CAP.DSTRD. */
    int doorbellStride() {
        return (int) NvmeRegisters.CAP_DSTRD.get(capabilities);
    }

    /** Asks the controller to shut down, and waits until it did. 3.6.1. */
    void shutDown() {
        long deadline = System.nanoTime() + SHUTDOWN_TIMEOUT.toNanos();
        try {
            long configuration = registers.read(NvmeRegisters.CC);
            registers.write(NvmeRegisters.CC, NvmeRegisters.CC_SHN.set(configuration, SHUTDOWN_NORMAL));
            while (NvmeRegisters.CSTS_SHST.get(registers.read(NvmeRegisters.CSTS)) != SHUTDOWN_COMPLETE
                    && System.nanoTime() - deadline < 0) {
                function.checkPresent();
                LockSupport.parkNanos(SHUTDOWN_POLL_NANOS);
            }
        } catch (IOException | UncheckedIOException | InternalError gone) {
            // Then there is nothing left to shut down.
        }
    }

    @Override
    public String toString() {
        return function.address().toString();
    }
}
