package dev.outboard.nvme;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Work that has to end in time; what does not is shown by what every thread was doing. */
final class Watchdog {
    private Watchdog() {}

    /**
     * Has another thread do the work.
     *
     * @param about what to say first about work that does not end
     */
    static <T> T call(Duration limit, String about, Callable<T> work) throws Exception {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.ofPlatform().daemon().name("watched").start(task);
        try {
            return task.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError(about + " did not end within " + limit.toSeconds() + " s\n" + threads(), e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw (Error) e.getCause();
        }
    }

    private static String threads() {
        StringBuilder dump = new StringBuilder();
        for (Map.Entry<Thread, StackTraceElement[]> each :
                Thread.getAllStackTraces().entrySet()) {
            dump.append('"').append(each.getKey().getName()).append("\" ");
            dump.append(each.getKey().getState()).append('\n');
            for (StackTraceElement frame : each.getValue()) {
                dump.append("    at ").append(frame).append('\n');
            }
        }
        return dump.toString();
    }
}
