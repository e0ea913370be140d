package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.memory.Registers;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The persistent memory region: memory of the controller that keeps what it holds, whoever resets the controller or cuts its
 * power. Pieces are handed out from the start on, so a program that takes the same ones in the same order finds what it left.
 * NVMe base specification 2.0, 8.14 and 3.1.3.22.
 */
public final class PersistentMemory extends DeviceMemory {
    private static final String NAME = "persistent memory region";
    /** Where the region is for the controller whose BARs have no address; not where its memory buffer is. */
    private static final long WITHOUT_BAR_ADDRESS = 1L << 41;

    private static final Duration TIMEOUT_UNIT = Duration.ofMillis(500);
    private static final Duration LONG_TIMEOUT_UNIT = Duration.ofMinutes(1);
    private static final long POLL_NANOS = 50_000;
    private static final int GREATEST_UNIT = 3;
    private static final int UNIT_SHIFT = 10;

    /** What the controller says of the region's state. */
    public enum Health {
        /** All is well. */
        NORMAL,
        /** What it held is lost, or some of it. */
        RESTORE_ERROR,
        /** What is stored there is not kept. */
        READ_ONLY,
        /** What is stored there may not be kept, or read as something else. */
        UNRELIABLE
    }

    private final ControllerAccess access;
    /** PMRCAP. */
    private final long capabilities;

    private PersistentMemory(ControllerAccess access, Registers place, long deviceAddress, long capabilities) {
        super(NAME, access, place, deviceAddress);
        this.access = access;
        this.capabilities = capabilities;
    }

    /**
     * Finds the region of a controller that is not enabled yet, and has it answer.
     *
     * @throws DeviceException if it has none
     */
    static PersistentMemory find(ControllerAccess access) throws IOException {
        if (!NvmeRegisters.CAP_PMRS.isSet(access.capabilities())) {
            throw new DeviceException(access + " has no persistent memory region (CAP.PMRS); open it without");
        }
        long capabilities = access.registers().read(NvmeRegisters.PMRCAP);
        int index = (int) NvmeRegisters.PMRCAP_BIR.get(capabilities);
        // The region is the whole BAR.
        long size = index >= PciConfiguration.BARS
                ? 0
                : access.function().bar(index).sizeBytes();
        Registers place = inBar(NAME, access, index, 0, size);
        long address = place(access, index, 0, size, WITHOUT_BAR_ADDRESS);
        PersistentMemory memory = new PersistentMemory(access, place, address, capabilities);
        memory.enable();
        return memory;
    }

    @Override
    void enable() throws IOException {
        Registers controller = access.registers();
        if (NvmeRegisters.PMRCAP_CMSS.isSet(capabilities)) {
            // The half with the switch comes last.
            controller.write(NvmeRegisters.PMRMSCU, deviceAddress() >>> Integer.SIZE);
            controller.write(
                    NvmeRegisters.PMRMSCL,
                    NvmeRegisters.PMRMSCL_CMSE.of(1) | (deviceAddress() & NvmeRegisters.PMRMSCL_CBA.mask()));
        }
        controller.write(NvmeRegisters.PMRCTL, NvmeRegisters.PMRCTL_EN.of(1));
        long deadline = System.nanoTime() + timeout().toNanos();
        long status = controller.read(NvmeRegisters.PMRSTS);
        while (NvmeRegisters.PMRSTS_NRDY.isSet(status)) {
            access.function().checkPresent();
            if (System.nanoTime() - deadline > 0) {
                throw new DeviceTimeoutException(access + " did not have its persistent memory region ready within "
                        + timeout().toMillis() + " ms, the time that it asks for (PMRCAP.PMRTO); PMRSTS is 0x"
                        + Long.toHexString(status) + "; open it without");
            }
            LockSupport.parkNanos(POLL_NANOS);
            status = controller.read(NvmeRegisters.PMRSTS);
        }
        if (NvmeRegisters.PMRSTS_CBAI.isSet(status)) {
            throw new DeviceException(access + " does not take 0x" + Long.toHexString(deviceAddress())
                    + " for the address of its persistent memory region; open it without");
        }
    }

    private Duration timeout() {
        Duration unit = NvmeRegisters.PMRCAP_PMRTU.get(capabilities) == 0 ? TIMEOUT_UNIT : LONG_TIMEOUT_UNIT;
        return unit.multipliedBy(Math.max(1, NvmeRegisters.PMRCAP_PMRTO.get(capabilities)));
    }

    /**
     * {@inheritDoc} Not without a place among the host's addresses (CMSS).
     */
    @Override
    public boolean takesReads() {
        return NvmeRegisters.PMRCAP_RDS.isSet(capabilities) && hasAddress();
    }

    /**
     * {@inheritDoc} Not without a place among the host's addresses (CMSS).
     */
    @Override
    public boolean takesWrites() {
        return NvmeRegisters.PMRCAP_WDS.isSet(capabilities) && hasAddress();
    }

    private boolean hasAddress() {
        return NvmeRegisters.PMRCAP_CMSS.isSet(capabilities);
    }

    /**
     * Makes what was stored by registers before persistent, in the way that the controller asks for (PMRWBM): by a read.
     *
     * @return what the region's state is then; anything but {@link Health#NORMAL} means that it may not be
     * @throws DeviceException if the controller says that something went wrong
     */
    public Health persist() throws DeviceException {
        long ways = NvmeRegisters.PMRCAP_PMRWBM.get(capabilities);
        if ((ways & NvmeRegisters.WRITE_BARRIER_READ_STATUS) == 0) {
            registers().read32(0);
        }
        return health();
    }

    /**
     * What the controller says of the region's state.
     *
     * @return its state
     * @throws DeviceException if the controller says that something went wrong (PMRSTS.ERR, NRDY)
     */
    public Health health() throws DeviceException {
        long status = access.registers().read(NvmeRegisters.PMRSTS);
        long state = NvmeRegisters.PMRSTS_HSTS.get(status);
        if (NvmeRegisters.PMRSTS_ERR.get(status) != 0
                || NvmeRegisters.PMRSTS_NRDY.isSet(status)
                || state >= Health.values().length) {
            throw new DeviceException(
                    this + " is not in order: PMRSTS is 0x" + Long.toHexString(status) + "; reset the controller");
        }
        return Health.values()[(int) state];
    }

    /**
     * How much the controller takes at once before it takes no more than {@link #sustainedBytesPerSecond} (PMREBS).
     *
     * @return bytes; none if the controller does not say, or says more than there can be
     */
    public OptionalLong elasticityBufferBytes() {
        long word = access.registers().read(NvmeRegisters.PMREBS);
        return scaled(NvmeRegisters.PMREBS_PMRWBZ.get(word), NvmeRegisters.PMREBS_PMRSZU.get(word));
    }

    /**
     * How much the controller takes for as long as one likes (PMRSWTP).
     *
     * @return bytes a second; none if the controller does not say, or says more than there can be
     */
    public OptionalLong sustainedBytesPerSecond() {
        long word = access.registers().read(NvmeRegisters.PMRSWTP);
        return scaled(NvmeRegisters.PMRSWTP_PMRSWTV.get(word), NvmeRegisters.PMRSWTP_PMRSWTU.get(word));
    }

    private static OptionalLong scaled(long value, long unit) {
        return value == 0 || unit > GREATEST_UNIT
                ? OptionalLong.empty()
                : OptionalLong.of(value << (UNIT_SHIFT * unit));
    }
}
