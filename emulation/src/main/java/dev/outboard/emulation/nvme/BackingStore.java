package dev.outboard.emulation.nvme;

import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What a namespace holds: memory of this process, or a file that is mapped. Pages never touched take no room. */
final class BackingStore implements AutoCloseable {
    // An anonymous mapping of /dev/zero's kind costs nothing until it is written: reads of untouched pages all find the
    // kernel's one page of zeros.
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;
    private final boolean file;

    BackingStore(NvmeOptions options) throws IOException {
        long size = options.sizeBytes() / options.blockSizeBytes() * options.blockSizeBytes();
        file = options.file() != null;
        try {
            segment = options.file() == null
                    ? Mman.anonymous(size, Mman.MAP_PRIVATE, arena)
                    : mapFile(options.file(), size);
        } catch (IOException e) {
            arena.close();
            throw e;
        }
    }

    private MemorySegment mapFile(Path path, long size) throws IOException {
        try (FileChannel channel =
                FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            // Extends a file that is shorter; what lies beyond in a longer one stays as it is.
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
        }
    }

    MemorySegment segment() {
        return segment;
    }

    void flush(long offset, long length) {
        if (file) {
            segment.asSlice(offset, length).force();
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
