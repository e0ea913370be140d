package dev.outboard.memory;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongPredicate;

/** Waiting for a register. */
final class RegisterPolling {
    // Most devices answer at once or take milliseconds: spin for the first, sleep through the second.
    private static final int SPINS = 64;
    private static final long PAUSE_NANOS = 50_000;

    private RegisterPolling() {}

    static long pollUntil(Registers registers, Register register, LongPredicate condition, Duration timeout)
            throws RegisterTimeoutException {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("a timeout of " + timeout + "; it is zero or more");
        }
        if (register.access().readChanges() || !register.access().isReadable()) {
            throw new IllegalArgumentException(
                    register.name() + " is " + register.access().words() + ": it cannot be polled");
        }
        long start = System.nanoTime();
        long limitNanos = nanos(timeout);
        for (int i = 0; ; i++) {
            // The time first: a thread that was kept from running reads once more before it gives up.
            boolean over = System.nanoTime() - start >= limitNanos;
            long value = registers.read(register);
            if (condition.test(value)) {
                return value;
            }
            if (over) {
                throw new RegisterTimeoutException(registers, register, value, timeout);
            }
            if (i < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private static long nanos(Duration timeout) {
        try {
            return timeout.toNanos();
        } catch (ArithmeticException centuries) {
            return Long.MAX_VALUE;
        }
    }
}
