package dev.outboard.memory;

import java.io.IOException;
import java.time.Duration;

/** A register did not get the value that was waited for in time. */
public final class RegisterTimeoutException extends IOException {
    private static final long serialVersionUID = 1;

    private final long value;

    /**
     * A wait that is over.
     *
     * @param registers the region
     * @param register the register
     * @param value its last value
     * @param timeout how long was waited
     */
    RegisterTimeoutException(Registers registers, Register register, long value, Duration timeout) {
        super(register.name() + " of " + registers + " did not become what was waited for within " + timeout.toMillis()
                + " ms; it is " + register.decode(value) + "; reset the device if it hangs");
        this.value = value;
    }

    /**
     * What the register was.
     *
     * @return its last value, zero-extended
     */
    public long value() {
        return value;
    }
}
