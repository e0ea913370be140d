package dev.outboard.memory;

/** Which way data goes by DMA. Who says so exactly spares work where memory is not coherent. */
public enum DmaDirection {
    /** Both ways, or not known. */
    BIDIRECTIONAL,
    /** The device reads what the CPU wrote. */
    TO_DEVICE,
    /** The CPU reads what the device wrote. */
    FROM_DEVICE
}
