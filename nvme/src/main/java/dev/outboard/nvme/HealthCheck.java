package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Finds out what is wrong with a queue to which no completion has come for a while. */
final class HealthCheck {
    private static final long INTERVAL_NANOS = 1_000_000;
    /** After so long the controller is asked whether it works at all: most commands of most devices take less. */
    private static final long SLOW_NANOS = 10_000_000;

    private final ControllerAccess access;
    private final RequestSlots slots;
    private final long timeoutNanos;
    private final boolean isAdmin;
    private long lastNanos;
    private boolean slow;

    HealthCheck(ControllerAccess access, RequestSlots slots, long timeoutNanos, boolean isAdmin) {
        this.access = access;
        this.slots = slots;
        this.timeoutNanos = timeoutNanos;
        this.isAdmin = isAdmin;
    }

    /**
     * The request that takes longer than it may, or null. Never one of the admin queue: there who waits for a command looks
     * at the clock, and requests for events wait as long as it takes.
     */
    @Nullable
    NvmeRequest overdue() {
        slow = false;
        long now = System.nanoTime();
        if (now - lastNanos < INTERVAL_NANOS) {
            return null;
        }
        lastNanos = now;
        for (NvmeRequest request : slots.all()) {
            if (request.state == NvmeRequest.SUBMITTED) {
                if (request.seenNanos == 0) {
                    request.seenNanos = now;
                } else if (now - request.seenNanos > timeoutNanos && !isAdmin) {
                    return request;
                } else {
                    slow |= now - request.seenNanos > SLOW_NANOS;
                }
            }
        }
        return null;
    }

    /**
     * Whether requests are slow, as far as the last look at them showed, because the controller has failed as a whole, or
     * has forgotten everything: there is no need to wait for their deadlines.
     *
     * @throws IOException if it is gone; or has failed, and this is the admin queue, that resets nothing
     */
    boolean controllerFailed() throws IOException {
        if (!slow) {
            return false;
        }
        long status = access.status();
        boolean fatal = NvmeRegisters.CSTS_CFS.isSet(status);
        if (fatal && isAdmin) {
            throw new DeviceException(access + " reports a fatal error (CSTS.CFS); reset the controller");
        }
        // While another thread resets it, it is not ready either: the admin queue is what that uses.
        return fatal || (!isAdmin && !NvmeRegisters.CSTS_RDY.isSet(status));
    }
}
