package dev.outboard.nvme;

import java.io.IOException;

/** What a queue asks of its controller. For any thread. */
interface QueueOwner {
    /** How often the controller was reset: queues made before the last time are gone from it. */
    int resets();

    /** Whether it does nothing any more for any queue: it was closed, or could not be reset. Its DMA is off then. */
    boolean isStopped();

    /** Throws the reason if {@link #isStopped}. */
    void checkUsable() throws IOException;

    /** Has the controller forget the queues; false if it did not confirm. */
    boolean delete(CommandQueue queue);

    /** Creates the queues again, after a reset; returns how often the controller was reset by then. */
    int create(CommandQueue queue) throws IOException;

    /** Asks the controller to abort a command; false if it did not, or did not answer. */
    boolean abort(CommandQueue queue, int commandId);

    /**
     * Resets the controller, because a command never ended; nothing happens if somebody else did since.
     *
     * @param seenResets {@link #resets} when the command was submitted
     */
    void reset(int seenResets) throws IOException;
}
