package dev.outboard.driver;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A device that failed, or said something that cannot be. The message holds what the device said and what to do. */
public class DeviceException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * A failure.
     *
     * @param message which device, what it said, what to do
     */
    public DeviceException(String message) {
        super(message);
    }

    /**
     * A failure that another one led to.
     *
     * @param message which device, what it said, what to do
     * @param cause the other one
     */
    public DeviceException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
