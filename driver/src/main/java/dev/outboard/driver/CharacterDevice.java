package dev.outboard.driver;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * What a driver of a stream of bytes publishes: a serial port, a console. Methods block, and may be called from any
 * platform thread; one thread can read while another one writes.
 */
public interface CharacterDevice extends AutoCloseable {
    /**
     * Reads what has come, and waits for at least one byte if there is none.
     *
     * @param buffer where to
     * @param timeout how long to wait at most
     * @return how many bytes were read; 0 if none came in time
     * @throws IOException if the device fails
     */
    int read(MemorySegment buffer, Duration timeout) throws IOException;

    /**
     * Writes all of a buffer: returns once the device has taken its last byte.
     *
     * @param data what to write
     * @param timeout how long it may take
     * @throws DeviceTimeoutException if the device did not take all of it in time; the message says how much it took
     * @throws IOException if the device fails
     */
    void write(MemorySegment data, Duration timeout) throws IOException;

    @Override
    void close() throws IOException;
}
