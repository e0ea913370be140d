package dev.outboard.driver;

import java.io.IOException;

/**
 * What a driver of digital inputs and outputs publishes: up to 64 lines, numbered from 0. Masks and values have a bit a
 * line. Methods may be called from any platform thread.
 */
public interface GpioController extends AutoCloseable {
    /** Which way a line goes. */
    enum Direction {
        /** The device senses it. */
        INPUT,
        /** The device drives it. */
        OUTPUT
    }

    /**
     * How many lines there are.
     *
     * @return the number, from 1 to 64
     */
    int lineCount();

    /**
     * What a line is called.
     *
     * @param line its number
     * @return its name, or an empty text if it has none
     * @throws IndexOutOfBoundsException if there is no such line
     */
    String lineName(int line);

    /**
     * Which way a line goes.
     *
     * @param line its number
     * @return its direction
     * @throws IOException if the device fails
     * @throws IndexOutOfBoundsException if there is no such line
     */
    Direction direction(int line) throws IOException;

    /**
     * Changes the direction of a line. One that becomes an output keeps its level until it is {@linkplain #set set}.
     *
     * @param line its number
     * @param direction which way it shall go
     * @throws IOException if the device fails
     * @throws UnsupportedOperationException if the line cannot go that way
     * @throws IndexOutOfBoundsException if there is no such line
     */
    void setDirection(int line, Direction direction) throws IOException;

    /**
     * Reads lines: what inputs sense, and what outputs drive.
     *
     * @param lines which ones
     * @return their levels; zero for every other line
     * @throws IOException if the device fails
     * @throws IndexOutOfBoundsException if there is no such line
     */
    long get(long lines) throws IOException;

    /**
     * Drives outputs. The others stay as they are, also if several threads do this at once.
     *
     * @param lines which ones
     * @param values their levels
     * @throws IOException if the device fails
     * @throws UnsupportedOperationException if one of the lines is an input
     * @throws IndexOutOfBoundsException if there is no such line
     */
    void set(long lines, long values) throws IOException;

    /**
     * Watches inputs from now on.
     *
     * @param lines which ones
     * @return their edges, from now on
     * @throws IOException if the device fails
     * @throws IllegalStateException if the device can be watched by one only, and is
     * @throws UnsupportedOperationException if one of the lines is an output
     * @throws IndexOutOfBoundsException if there is no such line
     */
    GpioEdges watch(long lines) throws IOException;

    @Override
    void close() throws IOException;
}
