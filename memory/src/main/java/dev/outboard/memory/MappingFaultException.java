package dev.outboard.memory;

/**
 * An access to mapped memory that has nothing behind it any more: the file was truncated, its disk failed, or the device
 * is gone. The kernel sends SIGBUS, of which the JVM makes an {@link InternalError}, and {@link Mapping#access} and
 * {@link MappedFile} make this. The mapping stays usable where there is something behind it.
 */
public final class MappingFaultException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MappingFaultException(String message, InternalError cause) {
        super(message, cause);
    }
}
