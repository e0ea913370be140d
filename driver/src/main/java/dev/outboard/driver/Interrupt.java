package dev.outboard.driver;

import dev.outboard.linux.Fd;
import java.io.IOException;
import java.time.Duration;

/**
 * A source of events: INTx, an MSI, an MSI-X vector. Events are counted until somebody looks. One thread at a time looks
 * or waits.
 */
public interface Interrupt extends AutoCloseable {
    /**
     * Takes the events since the last look, without waiting.
     *
     * @return how many; 0 if there were none
     * @throws IOException if the source fails
     */
    long poll() throws IOException;

    /**
     * Waits for an event, then takes all. Blocks a platform thread.
     *
     * @param timeout how long to wait at most
     * @return how many; 0 if there were none in time
     * @throws IOException if the source fails
     */
    long await(Duration timeout) throws IOException;

    /**
     * A descriptor that is readable while there are events, for {@link dev.outboard.linux.Epoll}.
     *
     * @return the descriptor, owned by the interrupt
     */
    Fd fd();

    /**
     * Lets a level-triggered source fire again, which masks itself each time. Call it when the device's reason for the
     * interrupt is dealt with. Does nothing for MSI and MSI-X.
     *
     * @throws IOException if the source fails
     */
    void rearm() throws IOException;

    /** Gives the source up. */
    @Override
    void close();
}
