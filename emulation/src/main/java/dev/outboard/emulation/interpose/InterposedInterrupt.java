package dev.outboard.emulation.interpose;

import dev.outboard.driver.Interrupt;
import dev.outboard.linux.Fd;
import java.io.IOException;
import java.time.Duration;

/** An interrupt whose events pass an interposer. */
final class InterposedInterrupt implements Interrupt {
    /** So long it is waited for the device at a time: an interposer may have events of its own by then. */
    private static final long STEP_NANOS = 5_000_000;

    private final InterposedFunction function;
    private final int vector;
    private final Interrupt device;

    InterposedInterrupt(InterposedFunction function, int vector, Interrupt device) {
        this.function = function;
        this.vector = vector;
        this.device = device;
    }

    @Override
    public long poll() throws IOException {
        return function.interrupts(vector, device.poll());
    }

    @Override
    public long await(Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        long count = poll();
        for (long left = timeout.toNanos(); count == 0 && left > 0; left = deadline - System.nanoTime()) {
            count = function.interrupts(vector, device.await(Duration.ofNanos(Math.min(left, STEP_NANOS))));
        }
        return count;
    }

    @Override
    public Fd fd() {
        return device.fd();
    }

    @Override
    public void rearm() throws IOException {
        device.rearm();
    }

    @Override
    public void close() {
        device.close();
    }
}
