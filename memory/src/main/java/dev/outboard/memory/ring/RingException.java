package dev.outboard.memory.ring;

import java.io.IOException;

/** Memory is no ring, or not one that can be used so; or the other side broke the rules of the layout. */
public class RingException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message what is wrong, and what to do
     */
    public RingException(String message) {
        super(message);
    }
}
