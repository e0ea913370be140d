package dev.outboard.rig;

/** A guest did not boot, or a command in it did not end, before the deadline; the message has the end of the console. */
public final class GuestTimeoutException extends RigException {
    private static final long serialVersionUID = 1L;

    GuestTimeoutException(String message) {
        super(message);
    }
}
