package dev.outboard.rig;

/** The guest's kernel gave up. */
final class KernelPanicException extends RigException {
    static final String MARK = "Kernel panic - not syncing";

    private static final long serialVersionUID = 1L;

    KernelPanicException(String message, Throwable cause) {
        super(message, cause);
    }
}
