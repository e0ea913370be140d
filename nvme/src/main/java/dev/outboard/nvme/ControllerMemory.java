package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.memory.Registers;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The controller memory buffer: for what the controller fetches and the host seldom looks at, and for data that go from one
 * device to another. NVMe base specification 2.0, 8.5 and 3.1.3.11.
 */
public final class ControllerMemory extends DeviceMemory {
    private static final String NAME = "controller memory buffer";
    private static final long SMALLEST_UNIT_BYTES = 4096;
    private static final int UNIT_SHIFT = 4;
    /** Where the buffer is for the controller whose BARs have no address; DMA memory is far below. */
    private static final long WITHOUT_BAR_ADDRESS = 1L << 40;

    private final ControllerAccess access;
    /** CMBSZ, which also says what may lie there. */
    private final long capabilities;

    private final boolean holdsSubmissionQueues;

    private ControllerMemory(
            ControllerAccess access, Registers place, long deviceAddress, long capabilities, boolean forQueues) {
        super(NAME, access, place, deviceAddress);
        this.access = access;
        this.capabilities = capabilities;
        holdsSubmissionQueues = forQueues && takesSubmissionQueues();
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
        Registers place = inBar(NAME, access, index, offset, size);
        long address = place(access, index, offset, size, WITHOUT_BAR_ADDRESS);
        ControllerMemory memory = new ControllerMemory(access, place, address, sizeWord, forQueues);
        memory.enable();
        return memory;
    }

    @Override
    void enable() throws DeviceException {
        if (NvmeRegisters.CAP_CMBS.isSet(access.capabilities())) {
            Registers controller = access.registers();
            long control = NvmeRegisters.CMBMSC_CRE.of(1) | NvmeRegisters.CMBMSC_CMSE.of(1) | deviceAddress();
            // The half with the switches comes last: QEMU takes one half after the other, whoever writes both at once.
            long low = NvmeRegisters.CMBMSC.offset();
            controller.write32(low + Integer.BYTES, (int) (control >>> Integer.SIZE));
            controller.write32(low, (int) control);
            if (NvmeRegisters.CMBSTS_CBAI.isSet(controller.read(NvmeRegisters.CMBSTS))) {
                throw new DeviceException(access + " does not take 0x" + Long.toHexString(deviceAddress())
                        + " for the address of its controller memory buffer; open it without");
            }
        }
    }

    /**
     * Whether submission queues may lie there (SQS).
     *
     * @return what the controller says
     */
    public boolean takesSubmissionQueues() {
        return NvmeRegisters.CMBSZ_SQS.isSet(capabilities);
    }

    @Override
    public boolean takesReads() {
        return NvmeRegisters.CMBSZ_RDS.isSet(capabilities);
    }

    @Override
    public boolean takesWrites() {
        return NvmeRegisters.CMBSZ_WDS.isSet(capabilities);
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
}
