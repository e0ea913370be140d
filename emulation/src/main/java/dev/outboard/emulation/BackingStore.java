package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * What a model of a disk holds: memory of this process, or a file that is mapped. Pages never written take no room. Safe
 * for use by several threads until it is closed.
 */
public final class BackingStore implements AutoCloseable {
    private static final long HUGE_PAGE_BYTES = 2 << 20;
    // Less than this is faster filled than given back.
    private static final long WORTH_GIVING_BACK_BYTES = 256 << 10;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;
    private final boolean file;

    /**
     * A store in a file, or in memory that is lost at the end.
     *
     * @param path the file, which is made, and made longer, if need be; null for memory
     * @param sizeBytes the size
     * @throws IOException if the file cannot be opened or mapped, or there is no memory
     */
    public BackingStore(@Nullable Path path, long sizeBytes) throws IOException {
        this(path, sizeBytes, false);
    }

    /**
     * A store that may be for reading only.
     *
     * @param path the file; null for memory
     * @param sizeBytes the size
     * @param readOnly whether the file has to be there, is only opened to read, and stays as it is
     * @throws IOException if the file cannot be opened or mapped, or is shorter than it may be, or there is no memory
     */
    public BackingStore(@Nullable Path path, long sizeBytes, boolean readOnly) throws IOException {
        file = path != null;
        try {
            segment = path == null
                    ? mapMemory(sizeBytes)
                    : readOnly ? mapToRead(path, sizeBytes) : mapFile(path, sizeBytes);
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

    private MemorySegment mapToRead(Path path, long size) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            if (channel.size() < size) {
                throw new IOException(path + " has " + channel.size() + " bytes, not " + size
                        + ": a file that is only read is not made longer; leave out the size, or say a smaller one");
            }
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
        }
    }

    private MemorySegment mapFile(Path path, long size) throws IOException {
        try (FileChannel channel =
                FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            // Extends a file that is shorter; what lies beyond in a longer one stays as it is.
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
        }
    }

    /**
     * All that it holds.
     *
     * @return memory, until it is closed
     */
    public MemorySegment segment() {
        return segment;
    }

    /**
     * Makes a range durable, if the store is a file.
     *
     * @param offset where it starts, in bytes
     * @param length its size
     */
    public void flush(long offset, long length) {
        if (file && length > 0) {
            segment.asSlice(offset, length).force();
        }
    }

    /**
     * Makes a range zero, and gives back the room that it took.
     *
     * @param offset where it starts, in bytes
     * @param length its size
     */
    public void erase(long offset, long length) {
        long page = Mman.pageBytes();
        long address = segment.address() + offset;
        long start = offset + (-address & (page - 1));
        long end = offset + length - ((address + length) & (page - 1));
        if (end - start < WORTH_GIVING_BACK_BYTES || !giveBack(start, end - start)) {
            segment.asSlice(offset, length).fill((byte) 0);
            return;
        }
        segment.asSlice(offset, start - offset).fill((byte) 0);
        segment.asSlice(end, offset + length - end).fill((byte) 0);
    }

    private boolean giveBack(long offset, long length) {
        try {
            Mman.madvise(segment.asSlice(offset, length), file ? Mman.MADV_REMOVE : Mman.MADV_DONTNEED);
            return true;
        } catch (LinuxException e) {
            if (file && (e.errno() == Errno.EOPNOTSUPP || e.errno() == Errno.EINVAL)) {
                // A file system without holes.
                return false;
            }
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
