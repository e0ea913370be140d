package dev.outboard.nvme;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.specs.nvme.Opcode;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * Tells a controller with a keep alive timer that its host is there. NVMe base specification 2.0, 3.9 and 5.18.
 *
 * <p>On a thread of its own, which waits most of the time: queue pairs belong to others, who may have nothing to do for
 * hours, and the admin queue is polled only by who waits for a command of his.
 */
final class KeepAlive {
    /** So often within the time that the controller waits: one may come late. */
    private static final int TIMES = 3;

    private static final long LONGEST_PAUSE_NANOS = 100_000_000;

    private final NvmeController controller;
    private final AdminQueue admin;
    private final Duration timeout;

    private KeepAlive(NvmeController controller, AdminQueue admin, Duration timeout) {
        this.controller = controller;
        this.admin = admin;
        this.timeout = timeout;
    }

    /** Goes on until the controller is closed or gone; does nothing if the time is zero. */
    static void start(NvmeController controller, AdminQueue admin, Duration timeout) {
        if (!timeout.isZero()) {
            Thread.ofPlatform()
                    .daemon()
                    .name("keep alive of " + controller.address())
                    .start(new KeepAlive(controller, admin, timeout)::run);
        }
    }

    private void run() {
        Duration pause = timeout.dividedBy(TIMES);
        long next = System.nanoTime();
        while (!controller.isClosed()) {
            if (next - System.nanoTime() > 0) {
                // Not at once for all of it: a controller that is closed is not to be kept by its thread for long.
                LockSupport.parkNanos(Math.min(next - System.nanoTime(), LONGEST_PAUSE_NANOS));
                continue;
            }
            next = System.nanoTime() + pause.toNanos();
            try {
                admin.execute(NvmeCommand.of(Opcode.KEEP_ALIVE));
            } catch (DeviceGoneException gone) {
                return;
            } catch (IOException failed) {
                // Whoever uses the controller hears of it. A reset starts its timer anew, and this goes on.
            } catch (IllegalStateException e) {
                if (!controller.isClosed()) {
                    throw e;
                }
                // Its memory is gone.
            }
        }
    }
}
