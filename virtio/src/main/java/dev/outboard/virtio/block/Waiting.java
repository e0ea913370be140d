package dev.outboard.virtio.block;

/** How a queue waits for completions. */
public enum Waiting {
    /** Looks again and again: the least latency, and a processor of its own. */
    POLL,
    /** Sleeps until the device's interrupt. */
    INTERRUPT
}
