package dev.outboard.virtio.pci;

import dev.outboard.driver.Interrupt;
import dev.outboard.memory.Registers;
import dev.outboard.virtio.DriverQueue;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A queue of a virtio function with what belongs to it: where to notify the device, and its interrupt. */
public final class VirtioQueue {
    private final int index;
    private final DriverQueue ring;
    private final Registers notification;
    private final @Nullable Interrupt interrupt;
    /** The interrupt status that takes INTx back; null with MSI-X. */
    private final @Nullable Registers isr;

    VirtioQueue(
            int index,
            DriverQueue ring,
            Registers notification,
            @Nullable Interrupt interrupt,
            @Nullable Registers isr) {
        this.index = index;
        this.ring = ring;
        this.notification = notification;
        this.interrupt = interrupt;
        this.isr = isr;
    }

    /**
     * Its number.
     *
     * @return from 0
     */
    public int index() {
        return index;
    }

    /**
     * The queue itself.
     *
     * @return the driver's side
     */
    public DriverQueue ring() {
        return ring;
    }

    /** Shows the device what was added, and notifies it if it wants that. */
    public void publish() {
        if (ring.publish()) {
            notification.write16(0, (short) index);
        }
    }

    /**
     * Whether it can be waited for.
     *
     * @return false if the access path has no interrupts
     */
    public boolean hasInterrupt() {
        return interrupt != null;
    }

    /**
     * Sleeps until the device has used a request, or says so.
     *
     * @param timeout how long at most
     * @throws IllegalStateException if it has no interrupt
     * @throws IOException if the device or the interrupt failed
     */
    public void await(Duration timeout) throws IOException {
        if (interrupt == null) {
            throw new IllegalStateException(ring + " has no interrupt; poll instead");
        }
        ring.setInterrupting(true);
        if (!ring.isPending()) {
            interrupt.await(timeout);
        }
        if (isr != null) {
            isr.read8(0);
        }
        interrupt.rearm();
    }
}
