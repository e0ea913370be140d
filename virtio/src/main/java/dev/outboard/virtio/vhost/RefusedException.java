package dev.outboard.virtio.vhost;

/** A request of the front end that makes no sense, or that this back end does not offer. */
final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
        super(message);
    }

    RefusedException(String message, Throwable cause) {
        super(message + ": " + cause.getMessage(), cause);
    }
}
