package dev.outboard.driver;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The edges of inputs that are {@linkplain GpioController#watch watched}, in order. One thread at a time. */
public interface GpioEdges extends AutoCloseable {
    /**
     * A change of an input.
     *
     * @param line its number
     * @param rising whether it is energized now
     * @param nanoTime when it was seen, as {@link System#nanoTime} has it
     */
    record Edge(int line, boolean rising, long nanoTime) {}

    /**
     * Waits for an edge. Blocks a platform thread. Changes that come faster than the device tells may be seen as one, or,
     * if a line is back where it was, not at all.
     *
     * @param timeout how long to wait at most
     * @return the oldest edge that was not returned yet, or null if there was none in time
     * @throws IOException if the device fails, or the watch was closed
     */
    @Nullable
    Edge await(Duration timeout) throws IOException;

    /** Ends the watch. */
    @Override
    void close() throws IOException;
}
