package dev.outboard.memory.ring;

import java.io.IOException;
import java.time.Duration;

/**
 * Reads records in the order in which they were written. One thread at a time uses a reader; {@link #close} may come
 * from another one only when none does.
 */
public interface RecordReader extends AutoCloseable {
    /**
     * Reads the records that are there, without waiting and without a system call, but for one to wake a producer that
     * sleeps because the ring was full.
     *
     * @param handler takes them
     * @param limit how many at most, at least 1
     * @return how many there were
     * @throws IOException a {@link RingException} if what the other side wrote is no ring
     */
    int poll(RecordHandler handler, int limit) throws IOException;

    /**
     * Waits until there are records, spinning first and sleeping then, and reads them.
     *
     * @param handler takes them
     * @param limit how many at most, at least 1
     * @param timeout how long to wait at most
     * @return how many there were; 0 if there were none in time
     * @throws IOException a {@link PeerGoneException} if the producer has closed the ring or died and everything is
     *     read, a {@link RingException} if what it wrote is no ring, a {@link dev.outboard.linux.LinuxException} if the
     *     kernel does not let us sleep
     */
    int await(RecordHandler handler, int limit, Duration timeout) throws IOException;

    /**
     * How many records this reader was too slow for. Grows when the next record is read.
     *
     * @return the number of records lost since the reader was opened; always 0 where the producer waits
     */
    long lost();

    @Override
    void close();
}
