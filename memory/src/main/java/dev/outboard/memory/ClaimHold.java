package dev.outboard.memory;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a claim has in one directory: its locks, and the record that says whose they are. */
final class ClaimHold implements AutoCloseable {
    private final Fd directory;
    private final List<Fd> descriptors = new ArrayList<>();
    private @Nullable Path record;
    private boolean closed;

    /** Takes over a descriptor of the directory. */
    ClaimHold(Fd directory) {
        this.directory = directory;
    }

    /** Takes over a descriptor that is locked. */
    synchronized void keep(Fd locked) {
        descriptors.add(locked);
    }

    /** A file below the directory's descriptor. */
    Path at(String file) throws LinuxException {
        return Path.of("/proc/self/fd/" + directory.number(), file);
    }

    /** The record, by a path that is valid as long as the directory's descriptor is open. */
    synchronized void published(Path path) {
        record = path;
    }

    /** The record goes before the locks: what is not locked has no record. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (record != null) {
            try {
                Files.deleteIfExists(record);
            } catch (IOException e) {
                // Without its lock, which goes next, it is stale, and the next who looks removes it.
                record = null;
            }
        }
        descriptors.reversed().forEach(Fd::close);
        directory.close();
    }
}
