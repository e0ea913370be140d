package dev.outboard.emulation.nvme;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.DmaSpace;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.IOException;

/**
 * The controller memory buffer: memory of the controller, in a BAR, for queues, lists and data. NVMe base specification
 * 2.0, 8.5. Once the host has said at which of its addresses that is, the controller finds it there like other memory.
 */
final class ControllerMemory implements AutoCloseable {
    static final int BAR = 2;

    private final DmaSpace dma;
    private final BarMemory memory;

    ControllerMemory(DmaSpace dma, long sizeBytes) throws IOException {
        this.dma = dma;
        memory = new BarMemory(null, sizeBytes);
    }

    /** The BAR that it lies in, all of which the client may map. */
    Bar bar() {
        return memory.bar(BAR, Bar.Space.MEMORY_64);
    }

    /** CMBLOC: where it is; bits that lift restrictions are all set. */
    static long location() {
        return NvmeRegisters.CMBLOC_UNRESTRICTED.mask() | NvmeRegisters.CMBLOC_BIR.of(BAR);
    }

    /** CMBSZ: how large it is, and that it is for everything. */
    long size() {
        return NvmeRegisters.CMBSZ_SQS.of(1)
                | NvmeRegisters.CMBSZ_CQS.of(1)
                | NvmeRegisters.CMBSZ_LISTS.of(1)
                | NvmeRegisters.CMBSZ_RDS.of(1)
                | NvmeRegisters.CMBSZ_WDS.of(1)
                | NvmeRegisters.CMBSZ_SZ.of(memory.segment().byteSize() / DmaSpace.PAGE_BYTES);
    }

    /** Follows CMBMSC. Returns false if the buffer cannot be where the host wants it. */
    boolean configure(long control) {
        dma.removeDeviceMemory(memory.segment());
        boolean isThere = NvmeRegisters.CMBMSC_CRE.isSet(control) && NvmeRegisters.CMBMSC_CMSE.isSet(control);
        return !isThere || dma.placeDeviceMemory(control & NvmeRegisters.CMBMSC_CBA.mask(), memory.segment());
    }

    @Override
    public void close() {
        dma.removeDeviceMemory(memory.segment());
        memory.close();
    }
}
