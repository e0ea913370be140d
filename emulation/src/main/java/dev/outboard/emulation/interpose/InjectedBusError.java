package dev.outboard.emulation.interpose;

/** What a driver gets instead of an access, as from a mapping whose device was taken away. */
public final class InjectedBusError extends InternalError {
    private static final long serialVersionUID = 1;

    /** An error that says that it is not a real one. */
    public InjectedBusError() {
        super("a fault occurred in an access to a device's memory, as a fault rule says");
    }
}
