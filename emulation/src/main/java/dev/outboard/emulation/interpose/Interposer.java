package dev.outboard.emulation.interpose;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.memory.RegisterAccess;
import java.io.IOException;
import java.util.List;

/**
 * Sees, and may change, all that passes between a driver and its device. Each method does what would happen without it,
 * unless it is overridden. {@link InterposedFunction} calls them one at a time, on the driver's threads.
 */
public interface Interposer {
    /** What a driver can have a device do as a whole. */
    interface Controls {
        /**
         * Switches DMA on or off.
         *
         * @param on whether the device may do DMA
         */
        void setBusMaster(boolean on);

        /**
         * Resets the device.
         *
         * @throws IOException if it cannot be reset
         */
        void reset() throws IOException;

        /**
         * Asks whether the device is there.
         *
         * @throws DeviceGoneException if it is not
         */
        void checkPresent() throws DeviceGoneException;
    }

    /**
     * The driver sees a region for the first time.
     *
     * @param region which registers
     * @param sizeBytes its size
     */
    default void opened(Region region, long sizeBytes) {}

    /**
     * The driver reads a register.
     *
     * @param region which registers
     * @param offset where, in bytes
     * @param widthBytes 1, 2, 4 or 8
     * @param device the region's registers
     * @return what the driver shall see, in the low bits
     */
    default long read(Region region, long offset, int widthBytes, RegisterAccess device) {
        return device.read(offset, widthBytes);
    }

    /**
     * The driver writes a register. What it stored in DMA memory before was told by {@link #toDevice}.
     *
     * @param region which registers
     * @param offset where, in bytes
     * @param widthBytes 1, 2, 4 or 8
     * @param value what, in the low bits; the others are 0
     * @param device the region's registers
     */
    default void write(Region region, long offset, int widthBytes, long value, RegisterAccess device) {
        device.write(offset, widthBytes, value);
    }

    /**
     * The driver has DMA memory that it did not have before, zeroed.
     *
     * @param deviceAddress where the device finds it
     * @param sizeBytes how much, a multiple of 64
     */
    default void allocated(long deviceAddress, long sizeBytes) {}

    /**
     * The driver has stored something in DMA memory.
     *
     * @param stores what changed; at least one
     * @return what the device shall find
     */
    default List<DmaStore> toDevice(List<DmaStore> stores) {
        return stores;
    }

    /**
     * Now is the time at which the driver finds what the device has stored in DMA memory.
     *
     * @param stores what changed; often nothing
     * @return what the driver shall find
     */
    default List<DmaStore> toDriver(List<DmaStore> stores) {
        return stores;
    }

    /**
     * The driver enabled interrupts.
     *
     * @param count how many vectors; 0 for none
     */
    default void interruptsEnabled(int count) {}

    /**
     * The driver looks for interrupts.
     *
     * @param vector which one
     * @param count how many came since the last look; often 0
     * @return how many the driver shall see
     * @throws IOException if the source fails
     */
    default long interrupts(int vector, long count) throws IOException {
        return count;
    }

    /**
     * The driver switches DMA on or off.
     *
     * @param on whether the device may do DMA
     * @param device the device
     */
    default void setBusMaster(boolean on, Controls device) {
        device.setBusMaster(on);
    }

    /**
     * The driver resets the function.
     *
     * @param device the device
     * @throws IOException if it cannot be reset
     */
    default void reset(Controls device) throws IOException {
        device.reset();
    }

    /**
     * The driver asks whether the function is there.
     *
     * @param device the device
     * @throws DeviceGoneException if it is not
     */
    default void checkPresent(Controls device) throws DeviceGoneException {
        device.checkPresent();
    }

    /** The driver has closed the function. */
    default void closed() {}
}
