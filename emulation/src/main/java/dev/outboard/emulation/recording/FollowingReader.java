package dev.outboard.emulation.recording;

import java.io.IOException;
import java.io.Reader;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Reads a file that grows: at its end it waits for more, until it is told to stop. */
final class FollowingReader extends Reader {
    private static final long INTERVAL_NANOS = Duration.ofMillis(50).toNanos();

    private final Reader file;
    private final BooleanSupplier stop;

    FollowingReader(Reader file, BooleanSupplier stop) {
        this.file = file;
        this.stop = stop;
    }

    @Override
    public int read(char[] buffer, int offset, int length) throws IOException {
        int count = file.read(buffer, offset, length);
        while (count < 0 && !stop.getAsBoolean()) {
            LockSupport.parkNanos(INTERVAL_NANOS);
            count = file.read(buffer, offset, length);
        }
        return count;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
