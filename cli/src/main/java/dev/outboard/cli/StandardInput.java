package dev.outboard.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Standard input, read on a thread of its own: read(2) on a pipe or a terminal waits for its writer whatever happens, so
 * who waits for this thread instead can end at Ctrl-C and close what is open.
 */
public final class StandardInput extends InputStream {
    private static final long CHECK_INTERVAL_MILLIS = 50;

    private final ExecutorService reader = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("standard-input").factory());

    /** Reads nothing yet. */
    public StandardInput() {}

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        Future<Integer> read = reader.submit(() -> System.in.read(bytes, offset, length));
        while (!Interruption.requested()) {
            try {
                return read.get(CHECK_INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // Nothing yet.
            } catch (ExecutionException e) {
                Throwable cause = Objects.requireNonNull(e.getCause());
                throw new IOException("standard input: " + cause.getMessage(), cause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while standard input was read");
            }
        }
        throw new InterruptedIOException("asked to stop while standard input was read");
    }

    @Override
    public void close() {
        reader.shutdownNow();
    }
}
