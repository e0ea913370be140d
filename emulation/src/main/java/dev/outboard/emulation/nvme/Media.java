package dev.outboard.emulation.nvme;

import dev.outboard.emulation.BackingStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What all namespaces lie on: their data one after the other, and their metadata apart from it, in a file of its own if
 * the data are in a file. Metadata takes no room until there is some.
 */
final class Media implements AutoCloseable {
    /** What namespaces start at a multiple of: the smallest block's size, so that metadata has a place for each. */
    static final int UNIT_BYTES = 512;

    private final BackingStore data;
    private final @Nullable Path metadataPath;
    private final boolean metadataKept;
    private @Nullable BackingStore metadata;

    Media(@Nullable Path file, long sizeBytes) throws IOException {
        data = new BackingStore(file, sizeBytes);
        metadataPath = file == null ? null : file.resolveSibling(file.getFileName() + ".metadata");
        metadataKept = metadataPath != null && Files.exists(metadataPath);
    }

    /** Whether metadata of an earlier run is there. */
    boolean isMetadataKept() {
        return metadataKept;
    }

    long sizeBytes() {
        return data.segment().byteSize();
    }

    MemorySegment data(long offset, long length) {
        return data.segment().asSlice(offset, length);
    }

    /** The metadata of the data at an offset: as if every unit had as much as a block can have. */
    MemorySegment metadata(long dataOffset, long length) {
        return metadataStore().segment().asSlice(metadataOffset(dataOffset), length);
    }

    private static long metadataOffset(long dataOffset) {
        return dataOffset / UNIT_BYTES * BlockFormat.MAXIMUM_METADATA_BYTES;
    }

    private BackingStore metadataStore() {
        BackingStore store = metadata;
        if (store == null) {
            try {
                store = new BackingStore(metadataPath, metadataOffset(sizeBytes() + UNIT_BYTES - 1));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            metadata = store;
        }
        return store;
    }

    void erase(long offset, long length) {
        data.erase(offset, length);
    }

    void eraseMetadata(long dataOffset, long length) {
        metadataStore().erase(metadataOffset(dataOffset), length);
    }

    void flush() {
        flush(0, sizeBytes());
        if (metadata != null) {
            metadata.flush(0, metadata.segment().byteSize());
        }
    }

    void flush(long offset, long length) {
        data.flush(offset, length);
    }

    @Override
    public void close() {
        data.close();
        if (metadata != null) {
            metadata.close();
        }
    }
}
