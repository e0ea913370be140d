package dev.outboard.emulation.recording;

import dev.outboard.driver.DeviceException;

/** A driver did something else than what was recorded. The message says what, and what was expected. */
public final class ReplayDivergedException extends DeviceException {
    private static final long serialVersionUID = 1L;

    ReplayDivergedException(String message) {
        super(message);
    }
}
