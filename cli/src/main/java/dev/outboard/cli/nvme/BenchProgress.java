package dev.outboard.cli.nvme;

import dev.outboard.cli.Terminal;
import dev.outboard.nvme.load.LoadJobs;
import java.time.Duration;

/** Shows on a terminal, twice a second, what a load does; elsewhere it is quiet. */
final class BenchProgress implements AutoCloseable {
    private static final Duration INTERVAL = Duration.ofMillis(500);
    private static final double NANOS_A_SECOND = 1e9;

    private final LoadJobs load;
    private final Thread thread = Thread.ofVirtual().unstarted(this::show);
    private volatile boolean ended;

    BenchProgress(LoadJobs load) {
        this.load = load;
    }

    void start() {
        if (Terminal.isInteractive()) {
            thread.start();
        }
    }

    private void show() {
        long before = 0;
        long since = System.nanoTime();
        try {
            while (!ended) {
                Thread.sleep(INTERVAL);
                long now = System.nanoTime();
                long done = load.operations();
                System.err.printf(
                        "\r%,d requests, %,.0f a second\u001b[K",
                        done, (done - before) * NANOS_A_SECOND / (now - since));
                before = done;
                since = now;
            }
        } catch (InterruptedException e) {
            // The load has ended.
        } finally {
            System.err.print("\r\u001b[K");
        }
    }

    @Override
    public void close() {
        ended = true;
        thread.interrupt();
        try {
            if (thread.isAlive()) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
