package dev.outboard.emulation.nvme;

import dev.outboard.emulation.BackingStore;
import dev.outboard.emulation.Bar;
import dev.outboard.linux.Fd;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Memory of the controller that a BAR shows: a file's, or memory that is lost with the model. */
final class BarMemory implements AutoCloseable {
    private static final String NAME = "outboard-controller-memory";

    private final Arena arena = Arena.ofShared();
    private final @Nullable BackingStore store;
    private final Fd file;
    private final MemorySegment segment;

    /**
     * Memory that is there as long as this object.
     *
     * @param path the file, which is made, and made longer, if need be; null for none
     */
    BarMemory(@Nullable Path path, long sizeBytes) throws IOException {
        // Before the file is opened: it is what makes it large enough.
        store = path == null ? null : new BackingStore(path, sizeBytes);
        Fd opened = null;
        try {
            opened = path == null ? Fd.memfd(NAME, sizeBytes) : Fd.open(path.toString(), Fd.O_RDWR);
            segment = store != null
                    ? store.segment()
                    : opened.mmap(0, sizeBytes, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
            file = opened;
        } catch (IOException e) {
            if (opened != null) {
                opened.close();
            }
            if (store != null) {
                store.close();
            }
            arena.close();
            throw e;
        }
    }

    Bar bar(int index, Bar.Space space) {
        return Bar.ofMemory(index, space, file, segment);
    }

    MemorySegment segment() {
        return segment;
    }

    /** Makes all of it durable, if it is a file's, whoever wrote it. */
    void flush() {
        if (store != null) {
            store.flush(0, segment.byteSize());
        }
    }

    @Override
    public void close() {
        if (file.isOpen()) {
            file.close();
            if (store != null) {
                store.close();
            }
            arena.close();
        }
    }
}
