package dev.outboard.memory.ring;

/** The other side has closed the ring or died: waiting for it would never end. */
public final class PeerGoneException extends RingException {
    private static final long serialVersionUID = 1L;

    /** Whether it died. */
    private final boolean died;

    PeerGoneException(String message, boolean died) {
        super(message);
        this.died = died;
    }

    /**
     * How it went.
     *
     * @return true if its process ended without closing the ring
     */
    public boolean died() {
        return died;
    }
}
