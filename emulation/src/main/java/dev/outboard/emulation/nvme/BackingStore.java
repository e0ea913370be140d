package dev.outboard.emulation.nvme;

import dev.outboard.linux.Errno;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What a namespace holds: memory of this process, or a file that is mapped. Pages never written take no room. */
final class BackingStore implements AutoCloseable {
    private static final long HUGE_PAGE_BYTES = 2 << 20;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;
    private final boolean file;

    BackingStore(NvmeOptions options) throws IOException {
        long size = options.sizeBytes() / options.blockSizeBytes() * options.blockSizeBytes();
        file = options.file() != null;
        try {
            segment = options.file() == null ? mapMemory(size) : mapFile(options.file(), size);
        } catch (IOException e) {
            arena.close();
            throw e;
        }
    }

    private MemorySegment mapMemory(long size) throws IOException {
        MemorySegment mapped = Mman.anonymous(size + HUGE_PAGE_BYTES, Mman.MAP_PRIVATE | Mman.MAP_NORESERVE, arena);
        long padding = -mapped.address() & (HUGE_PAGE_BYTES - 1);
        MemorySegment aligned = mapped.asSlice(padding, size);
        try {
            // Random blocks of a large namespace miss the TLB less often.
            Mman.madvise(aligned, Mman.MADV_HUGEPAGE);
        } catch (LinuxException e) {
            if (e.errno() != Errno.EINVAL) {
                throw e;
            }
            // A kernel without transparent huge pages: then without.
        }
        return aligned;
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
