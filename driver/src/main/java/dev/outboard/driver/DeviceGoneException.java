package dev.outboard.driver;

import org.jspecify.annotations.Nullable;

/** The device was removed, or its server is gone. Nothing can be done with it any more but close it. */
public final class DeviceGoneException extends DeviceException {
    private static final long serialVersionUID = 1L;

    /**
     * A device that is gone.
     *
     * @param message which device, and how that was seen
     * @param cause what it was seen by, if that was an exception
     */
    public DeviceGoneException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
