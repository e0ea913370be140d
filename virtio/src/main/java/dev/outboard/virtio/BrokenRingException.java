package dev.outboard.virtio;

/** A ring holds what cannot be; nothing that was taken from it is to be trusted. */
final class BrokenRingException extends Exception {
    private static final long serialVersionUID = 1L;

    BrokenRingException(String message) {
        super(message);
    }
}
