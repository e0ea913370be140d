package dev.outboard.nvme;

import dev.outboard.driver.Interrupt;
import dev.outboard.linux.Fd;
import java.time.Duration;

/** An interrupt that never comes. */
final class SilentInterrupt implements Interrupt {
    @Override
    public long poll() {
        return 0;
    }

    @Override
    public long await(Duration timeout) {
        return 0;
    }

    @Override
    public Fd fd() {
        throw new UnsupportedOperationException("it has none");
    }

    @Override
    public void rearm() {
        // It is always armed.
    }

    @Override
    public void close() {
        // Nothing to close.
    }
}
