package dev.outboard.driver;

/** A device did not answer within its deadline. */
public final class DeviceTimeoutException extends DeviceException {
    private static final long serialVersionUID = 1L;

    /**
     * A deadline that passed.
     *
     * @param message which device, what was waited for, and how long
     */
    public DeviceTimeoutException(String message) {
        super(message);
    }
}
