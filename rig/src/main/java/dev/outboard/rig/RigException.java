package dev.outboard.rig;

import java.io.IOException;

/** The rig cannot do what it was asked; the message says what to do about it. */
public class RigException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Describes what went wrong.
     *
     * @param message what went wrong and what to do next
     */
    public RigException(String message) {
        super(message);
    }

    /**
     * Describes what went wrong because of another failure.
     *
     * @param message what went wrong and what to do next
     * @param cause the failure behind it
     */
    public RigException(String message, Throwable cause) {
        super(message, cause);
    }
}
