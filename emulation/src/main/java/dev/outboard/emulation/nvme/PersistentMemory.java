package dev.outboard.emulation.nvme;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.DmaSpace;
import dev.outboard.emulation.nvme.NvmeOptions.PersistentRegion;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.IOException;

/**
 * The persistent memory region: memory of the controller, in a BAR, that keeps what it holds over resets, and with a file
 * over the end of the model. NVMe base specification 2.0, 8.14. It is there once the host enables it, and the controller
 * finds it where the host says.
 */
final class PersistentMemory implements AutoCloseable {
    static final int BAR = 5;

    private static final long TIMEOUT_HALF_SECONDS = 1;

    private final DmaSpace dma;
    private final BarMemory memory;
    private boolean enabled;
    private boolean misplaced;

    PersistentMemory(DmaSpace dma, PersistentRegion options) throws IOException {
        this.dma = dma;
        memory = new BarMemory(options.file(), options.sizeBytes());
    }

    /** The BAR that it is, all of which the client may map. */
    Bar bar() {
        // The BAR before has the table of MSI-X and 32 bits, so there is room for no more than 32.
        return memory.bar(BAR, Bar.Space.MEMORY_32);
    }

    /** PMRCAP: data go there and come from there; a read of PMRSTS makes all of it durable. */
    static long capabilities() {
        return NvmeRegisters.PMRCAP_RDS.of(1)
                | NvmeRegisters.PMRCAP_WDS.of(1)
                | NvmeRegisters.PMRCAP_BIR.of(BAR)
                | NvmeRegisters.PMRCAP_PMRWBM.of(NvmeRegisters.WRITE_BARRIER_READ_STATUS)
                | NvmeRegisters.PMRCAP_PMRTO.of(TIMEOUT_HALF_SECONDS)
                | NvmeRegisters.PMRCAP_CMSS.of(1);
    }

    /** Follows PMRCTL, PMRMSCL and PMRMSCU. */
    void configure(long control, long low, long high) {
        dma.removeDeviceMemory(memory.segment());
        enabled = NvmeRegisters.PMRCTL_EN.isSet(control);
        boolean isThere = enabled && NvmeRegisters.PMRMSCL_CMSE.isSet(low);
        long address = high << Integer.SIZE | (low & NvmeRegisters.PMRMSCL_CBA.mask());
        misplaced = isThere && !dma.placeDeviceMemory(address, memory.segment());
    }

    /** PMRSTS, without what reading it does. */
    long status() {
        return NvmeRegisters.PMRSTS_NRDY.of(enabled ? 0 : 1) | NvmeRegisters.PMRSTS_CBAI.of(misplaced ? 1 : 0);
    }

    /** Makes durable what was written. */
    void flush() {
        memory.flush();
    }

    @Override
    public void close() {
        dma.removeDeviceMemory(memory.segment());
        memory.close();
    }
}
