package dev.outboard.memory;

/**
 * That something is claimed, and by whom, at the time when it was looked at.
 *
 * @param target what
 * @param owner by whom
 */
public record ClaimRecord(ClaimTarget target, ClaimOwner owner) {
    /** For people. */
    @Override
    public String toString() {
        return target + " is claimed by " + owner;
    }
}
