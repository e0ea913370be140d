package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.linux.DevicePages;
import dev.outboard.linux.Fd;
import dev.outboard.memory.DmaAllocator.AddressRange;
import dev.outboard.memory.DmaMapper;
import java.io.IOException;
import java.util.List;

/**
 * How a VFIO device is talked to: by ioctls of the kernel, or by messages of vfio-user. Safe for use by several threads.
 */
interface VfioDevice extends AutoCloseable {
    /**
     * A kind of interrupts.
     *
     * @param flags {@code VFIO_IRQ_INFO} bits
     * @param count how many there are
     */
    record IrqInfo(int flags, int count) {
        static final IrqInfo NONE = new IrqInfo(0, 0);
    }

    /** What a region is; checked, so that what it says can be relied on. */
    RegionInfo regionInfo(int index) throws IOException;

    /** What a kind of interrupt is; {@link IrqInfo#NONE} if the device does not know it. */
    IrqInfo irqInfo(int index) throws IOException;

    /** Masks, unmasks or triggers: {@code VFIO_DEVICE_SET_IRQS} with no data. A count of 0 disables the whole kind. */
    void setIrqs(int action, int index, int start, int count) throws IOException;

    /** Says which eventfds shall be signalled, from vector 0 on. */
    void setIrqEventFds(int index, List<Fd> eventFds) throws IOException;

    /** Reads a register, in one access of its width. All ones if the device is gone. */
    long read(RegionInfo region, long offset, int widthBytes);

    /** Writes a register, in one access of its width. Without effect if the device is gone. */
    void write(RegionInfo region, long offset, int widthBytes, long value);

    /** Maps a part of a region that says that it can be mapped. */
    DevicePages map(RegionInfo region, RegionInfo.Area area) throws IOException;

    /** What maps DMA memory. */
    DmaMapper dmaMapper();

    /** The I/O virtual addresses that may be used, in order of preference. */
    List<AddressRange> usableAddresses() throws IOException;

    /** Resets the device. */
    void reset() throws IOException;

    /** Called after a read that returned all ones. Must have an effect, so that the compiler keeps the read. */
    void sawAllOnes();

    /** Throws if the device was removed, failed, or is wanted back. No system call. */
    void checkPresent() throws DeviceGoneException;

    /** Runs an action once, as soon as {@link #checkPresent} would throw; at once if it does already. */
    void whenGone(Runnable action);

    /** The device is about to be closed: from now on nothing may take long. */
    void prepareClose();

    @Override
    void close();
}
