package dev.outboard.emulation.virtio;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * One end of a cable: what a network card sends into, and receives from. Frames are Ethernet's, without the check sequence.
 * One thread at a time uses an end. Nothing waits.
 */
public interface NetworkLink extends AutoCloseable {
    /**
     * Sends a frame. One that there is no room for is lost, as on any network.
     *
     * @param frame memory that holds it among other things
     * @param offset where it starts
     * @param length how long it is, in bytes
     * @return false if it was lost
     * @throws IOException if the link is broken
     */
    boolean send(MemorySegment frame, long offset, int length) throws IOException;

    /**
     * Takes the next frame that has come.
     *
     * @param buffer where to; a longer frame is lost
     * @return its length, in bytes; 0 if none has come
     * @throws IOException if the link is broken
     */
    int receive(MemorySegment buffer) throws IOException;

    /**
     * Whether frames may come although nothing was sent.
     *
     * @return false if each is an answer to one that was sent
     */
    boolean polls();

    @Override
    void close();
}
