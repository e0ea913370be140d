package dev.outboard.emulation.nvme;

import dev.outboard.emulation.nvme.NvmeOptions.ZoneLimits;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The namespaces that are allocated, by identifier, and the room that is left for more. */
final class Namespaces implements AutoCloseable {
    /** The highest identifier: NN. */
    static final int MAXIMUM = 16;

    private final Media media;
    private final @Nullable Namespace[] namespaces = new Namespace[MAXIMUM];
    // A host that enabled the NVM command set alone sees no others. NVMe base specification 2.0, 3.1.3.5.
    private boolean allCommandSets;

    Namespaces(NvmeOptions options) throws IOException {
        long size = options.sizeBytes() / options.blockSizeBytes() * options.blockSizeBytes();
        media = new Media(options.file(), Math.multiplyExact(size, options.namespaces()));
        for (int i = 0; i < options.namespaces(); i++) {
            Namespace created = new Namespace(i + 1, media, i * size, size, options.format(), options.zones());
            if (!media.isMetadataKept()) {
                created.clearMetadata();
            }
            created.setAttached(true);
            namespaces[i] = created;
        }
    }

    /** The namespace with an identifier, or null; what the identifier is does not matter. */
    @Nullable
    Namespace get(int id) {
        int index = id - 1;
        return index >= 0 && index < MAXIMUM ? namespaces[index] : null;
    }

    /** Whether a command names an active namespace; else blames it. NVMe base specification 2.0, 3.2.1. */
    int check(Command command) {
        int id = command.namespaceId();
        if (id < 1 || id > MAXIMUM) {
            return command.invalid(SubmissionEntry.NSID, Status.INVALID_NAMESPACE);
        }
        return isActive(get(id)) ? Status.SUCCESS : command.invalid(SubmissionEntry.NSID);
    }

    boolean isActive(@Nullable Namespace namespace) {
        return namespace != null && namespace.isAttached() && (allCommandSets || namespace.zones() == null);
    }

    void enableAllCommandSets(boolean all) {
        allCommandSets = all;
    }

    void forEach(Consumer<Namespace> action) {
        for (Namespace namespace : namespaces) {
            if (namespace != null) {
                action.accept(namespace);
            }
        }
    }

    boolean isAnyWriteProtected() {
        for (Namespace namespace : namespaces) {
            if (namespace != null && namespace.isWriteProtected()) {
                return true;
            }
        }
        return false;
    }

    /** Creates a namespace. Returns null if there is no identifier or no room left in one piece. */
    @Nullable
    Namespace create(long bytes, BlockFormat format, ZoneLimits zones) {
        int id = freeId();
        long offset = freeOffset(bytes);
        if (id == 0 || offset < 0) {
            return null;
        }
        Namespace created = new Namespace(id, media, offset, bytes, format, zones);
        created.erase();
        namespaces[id - 1] = created;
        return created;
    }

    void delete(Namespace namespace) {
        namespaces[namespace.id() - 1] = null;
    }

    /** The lowest identifier that is free; 0 if there is none. */
    int freeId() {
        for (int i = 0; i < MAXIMUM; i++) {
            if (namespaces[i] == null) {
                return i + 1;
            }
        }
        return 0;
    }

    private long freeOffset(long bytes) {
        List<Namespace> byOffset = new ArrayList<>();
        forEach(byOffset::add);
        byOffset.sort(Comparator.comparingLong(Namespace::offset));
        long start = 0;
        for (Namespace namespace : byOffset) {
            if (namespace.offset() - start >= bytes) {
                return start;
            }
            start = namespace.offset() + namespace.sizeBytes();
        }
        return media.sizeBytes() - start >= bytes ? start : -1;
    }

    long totalBytes() {
        return media.sizeBytes();
    }

    long unallocatedBytes() {
        long left = media.sizeBytes();
        for (Namespace namespace : namespaces) {
            left -= namespace == null ? 0 : namespace.sizeBytes();
        }
        return left;
    }

    /** The media, for what goes over all of them whatever namespaces there are. */
    Media media() {
        return media;
    }

    void flush() {
        media.flush();
    }

    @Override
    public void close() {
        media.close();
    }
}
