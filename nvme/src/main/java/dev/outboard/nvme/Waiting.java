package dev.outboard.nvme;

/** How a queue pair waits for completions. */
public enum Waiting {
    /** Looks again and again: the least latency, and a processor of its own. */
    POLL(Integer.MAX_VALUE),
    /** Looks again for some 50 µs, which a fast device does not take, then sleeps until the controller's interrupt. */
    ADAPTIVE(1 << 11),
    /** Sleeps until the controller's interrupt. */
    INTERRUPT(0);

    private final int polls;

    Waiting(int polls) {
        this.polls = polls;
    }

    /** How often it looks before it sleeps. */
    int polls() {
        return polls;
    }

    boolean sleeps() {
        return this != POLL;
    }
}
