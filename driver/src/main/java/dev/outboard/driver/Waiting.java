package dev.outboard.driver;

/** How a queue waits for completions. */
public enum Waiting {
    /** Looks again and again: the least latency, and a processor of its own. */
    POLL(Integer.MAX_VALUE),
    /** Looks again for some 50 µs, which a fast device does not take, then sleeps until the device's interrupt. */
    ADAPTIVE(1 << 11),
    /** Sleeps until the device's interrupt. */
    INTERRUPT(0);

    private final int polls;

    Waiting(int polls) {
        this.polls = polls;
    }

    /**
     * How often it looks before it sleeps.
     *
     * @return the number of polls that find nothing
     */
    public int polls() {
        return polls;
    }

    /**
     * Whether it ever sleeps, and so needs an interrupt.
     *
     * @return true but for {@link #POLL}
     */
    public boolean sleeps() {
        return this != POLL;
    }
}
