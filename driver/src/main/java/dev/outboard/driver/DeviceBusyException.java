package dev.outboard.driver;

import dev.outboard.memory.ClaimedException;

/** Somebody else has the device: a kernel driver, a mounted file system, another process. The message says who. */
public final class DeviceBusyException extends DeviceException {
    private static final long serialVersionUID = 1L;

    /**
     * A device that somebody else has.
     *
     * @param message which device, who has it, and how to get it
     */
    public DeviceBusyException(String message) {
        super(message);
    }

    /**
     * A device that somebody else has claimed.
     *
     * @param claimed says who has it, since when, and what to do
     */
    public DeviceBusyException(ClaimedException claimed) {
        super(String.valueOf(claimed.getMessage()), claimed);
    }
}
