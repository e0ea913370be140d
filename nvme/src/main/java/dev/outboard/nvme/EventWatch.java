package dev.outboard.nvme;

/** Lasts as long as a listener is told of events, see {@link AdminCommands#watchEvents}. Safe for use by several threads. */
public interface EventWatch extends AutoCloseable {
    /** Ends it: the listener is told no more, but for an event that it is being told of. */
    @Override
    void close();
}
