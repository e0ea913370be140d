package dev.outboard.nvme;

/** How a queue pair waits for completions. */
public enum Waiting {
    /** Looks again and again: the least latency, and a processor of its own. */
    POLL,
    /** Sleeps until the controller's interrupt. */
    INTERRUPT
}
