package dev.outboard.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C and {@code kill}: the command is asked to stop, and the process ends once it has closed what it opened. Nothing is
 * closed behind the command's back: it unwinds as it does after a failure.
 */
public final class Interruption {
    private static final long UNWIND_SECONDS = 8;
    private static final Duration CHECK_INTERVAL = Duration.ofMillis(200);
    private static final CountDownLatch REQUESTED = new CountDownLatch(1);
    private static final CountDownLatch UNWOUND = new CountDownLatch(1);
    private static volatile @Nullable Runnable stop;

    private Interruption() {}

    /** Has the end of the process, however it comes, wait for {@link #unwound}. */
    static void install() {
        Runtime.getRuntime().addShutdownHook(new Thread(Interruption::request, "interruption"));
    }

    private static void request() {
        REQUESTED.countDown();
        Runnable action = stop;
        if (action != null) {
            // Not on this thread: what the action closes may hang.
            Thread.ofPlatform().daemon().name("interruption-action").start(action);
        }
        try {
            // Bounded: a device that hangs must not keep the user from getting the terminal back.
            if (!UNWOUND.await(UNWIND_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("outboard: the command did not end within " + UNWIND_SECONDS + " s and was cut off");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Says that the command has closed everything. */
    static void unwound() {
        UNWOUND.countDown();
    }

    /**
     * What to do when the command is asked to stop, instead of what was said before.
     *
     * @param action called on another thread; null for nothing
     */
    public static void onRequest(@Nullable Runnable action) {
        stop = action;
        if (action != null && requested()) {
            action.run();
        }
    }

    /**
     * Whether the command was asked to stop.
     *
     * @return true from then on
     */
    public static boolean requested() {
        return REQUESTED.getCount() == 0;
    }

    /** Finds out whether a device is still there. */
    public interface PresenceCheck {
        /**
         * Looks.
         *
         * @throws IOException if it is not
         */
        void run() throws IOException;
    }

    /**
     * Keeps a device up until the command is asked to stop, and looks now and then whether it is still there.
     *
     * @param check how to look
     * @throws IOException if the device is gone
     * @throws InterruptedException if the thread is interrupted
     */
    public static void awaitWhile(PresenceCheck check) throws IOException, InterruptedException {
        while (!await(CHECK_INTERVAL)) {
            check.run();
        }
    }

    /**
     * Waits until the command is asked to stop.
     *
     * @param timeout how long at most
     * @return whether it was
     * @throws InterruptedException if the thread is interrupted
     */
    public static boolean await(Duration timeout) throws InterruptedException {
        return REQUESTED.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
    }
}
