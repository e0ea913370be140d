package dev.outboard.emulation.edu;

import dev.outboard.specs.edu.EduRegisters;
import java.time.Duration;

/**
 * What a model of QEMU's device for teaching shall be.
 *
 * @param dmaMask the device addresses that its DMA reaches: bits outside of it are ignored
 * @param interrupt how it interrupts
 * @param delay how long a factorial takes, and a transfer
 */
public record EduOptions(long dmaMask, Signal interrupt, Duration delay) {
    /** How a device interrupts. */
    public enum Signal {
        /** By an MSI, or INTx if the driver prefers that. */
        MSI,
        /** By INTx alone. */
        INTX
    }

    /** As QEMU's: 28 bits, an MSI; but not as slow. */
    public static final EduOptions DEFAULT =
            new EduOptions(EduRegisters.DMA_MASK, Signal.MSI, Duration.ofNanos(100_000));

    /** Checks the delay. */
    public EduOptions {
        if (delay.isNegative()) {
            throw new IllegalArgumentException("the delay is " + delay + "; it is zero or more");
        }
    }

    /**
     * The same without MSI.
     *
     * @return the options
     */
    public EduOptions withoutMsi() {
        return new EduOptions(dmaMask, Signal.INTX, delay);
    }

    /**
     * The same with another delay.
     *
     * @param time how long a factorial takes, and a transfer
     * @return the options
     */
    public EduOptions withDelay(Duration time) {
        return new EduOptions(dmaMask, interrupt, time);
    }
}
