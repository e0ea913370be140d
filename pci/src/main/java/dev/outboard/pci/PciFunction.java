package dev.outboard.pci;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.Registers;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.util.List;

/**
 * A PCI function that this process owns, until it is closed. A driver is written against this interface alone, so that it
 * works over every access path.
 *
 * <p>Safe for use by several threads. Registers, DMA memory and interrupts die with the function.
 */
public interface PciFunction extends AutoCloseable {
    /** What the vendor id reads where no device answers. PCI Local Bus 3.0, 6.1. */
    int ABSENT_VENDOR = 0xffff;

    /**
     * The address that the function was opened by.
     *
     * @return for example {@code vfio:0000:03:00.0}
     */
    DeviceAddress address();

    /**
     * Configuration space, as {@link PciConfiguration} defines it. This is no hot path: an access
     * is a system call or a message.
     *
     * @return its registers
     */
    Registers configuration();

    /**
     * The registers behind a base address register. The same object each time.
     *
     * @param index 0 to 5
     * @return its registers, mapped where the access path can
     * @throws IOException if the BAR is not there, or cannot be mapped
     */
    Registers bar(int index) throws IOException;

    /**
     * Memory that the function reaches too. The function does DMA only while it is {@linkplain #setBusMaster bus master}.
     *
     * @return its allocator
     */
    DmaAllocator dma();

    /**
     * How many interrupt vectors {@link #enableInterrupts} can enable.
     *
     * @return MSI-X vectors if there are some, else MSI vectors, else 1 for INTx, else 0
     */
    int interruptVectors();

    /**
     * Enables interrupts, by MSI-X if there is, else MSI, else INTx. Replaces those that were enabled before, which are
     * closed.
     *
     * @param count how many vectors, from 0 to {@link #interruptVectors}; 0 disables interrupts
     * @return one interrupt a vector, in order
     * @throws IOException if they cannot be enabled
     */
    List<Interrupt> enableInterrupts(int count) throws IOException;

    /**
     * Lets the function do DMA and send MSIs, or stops it from that.
     *
     * @param on whether it may
     */
    void setBusMaster(boolean on);

    /**
     * Resets the function. DMA maps stay, bus mastering is off afterwards.
     *
     * @throws IOException if it cannot be reset
     */
    void reset() throws IOException;

    /**
     * Finds out whether the function is still there. Cheap enough for a poll loop to call now and then: no message, and
     * no system call but a rare one where nobody tells of a removal.
     *
     * @throws DeviceGoneException if it was removed, its server closed the connection, or the kernel wants it back
     */
    void checkPresent() throws DeviceGoneException;

    /**
     * Finds out whether the function still answers: configuration space reads all ones where nothing does, also while
     * whoever connects to it is there. For drivers that are about to say that a device is none of theirs.
     *
     * @throws DeviceGoneException if it does not, or {@link #checkPresent} says so
     */
    default void checkAnswers() throws DeviceGoneException {
        checkPresent();
        if (configuration().read(PciConfiguration.VENDOR_ID) == ABSENT_VENDOR) {
            throw new DeviceGoneException(
                    address() + " is not there any more: its ids read all ones; plug it in, or restart its server",
                    null);
        }
    }

    /**
     * Whether somebody between driver and function has to see all that passes, to record or to change it. A driver must
     * tell such a function everything by its registers then: what it says in memory alone comes late, or never.
     *
     * @return whether there is somebody
     */
    default boolean isInterposed() {
        return false;
    }

    /** Stops the function's DMA and interrupts, unmaps everything and gives the function back. */
    @Override
    void close();
}
