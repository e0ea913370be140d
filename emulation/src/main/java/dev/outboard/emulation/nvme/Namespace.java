package dev.outboard.emulation.nvme;

import dev.outboard.emulation.nvme.NvmeOptions.ZoneLimits;
import dev.outboard.specs.nvme.Identify;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A namespace: blocks on the media, how they are formatted, and who may use them. */
final class Namespace {
    private static final byte UNCHECKED = (byte) 0xff;

    private final int id;
    private final Media media;
    private final long offset;
    private final long sizeBytes;
    private final ZoneLimits zoneLimits;
    private final Reservations reservations = new Reservations();
    private final BlockRanges unreadable = new BlockRanges();
    private BlockFormat format;
    private MemorySegment data;
    private @Nullable MemorySegment metadata;
    private @Nullable Zones zones;
    private long blockCount;
    private int blockShift;
    private long storageTagMask;
    private boolean attached;
    private boolean writeProtected;
    private boolean busy;
    private boolean plain;

    /** A namespace of at most {@code sizeBytes} at an offset of the media; zoned unless there are no zones in {@code zoneLimits}. */
    Namespace(int id, Media media, long offset, long sizeBytes, BlockFormat format, ZoneLimits zoneLimits) {
        this.id = id;
        this.media = media;
        this.offset = offset;
        this.sizeBytes = sizeBytes;
        this.zoneLimits = zoneLimits;
        this.format = format;
        data = MemorySegment.NULL;
        use(format);
    }

    private void use(BlockFormat chosen) {
        format = chosen;
        storageTagMask = chosen.protection().storageTagMask();
        blockShift = chosen.blockShift();
        long blocks = sizeBytes >>> blockShift;
        zones = zoneLimits.isNone() ? null : new Zones(zoneLimits, blocks, blockShift);
        blockCount = zones == null ? blocks : zones.blockCount();
        data = media.data(offset, blockCount << blockShift);
        metadata = chosen.metadataBytes() == 0 ? null : media.metadata(offset, blockCount * chosen.metadataBytes());
        refresh();
    }

    /** Formats it: everything that it holds is gone. */
    void format(BlockFormat chosen) {
        use(chosen);
        erase();
    }

    /** Makes all blocks as they were before they were ever written. */
    void erase() {
        media.erase(offset, blockCount << blockShift);
        clearMetadata();
        unreadable.clear();
        if (zones != null) {
            zones.resetAll();
        }
        refresh();
    }

    /** All media were sanitized, the blocks of this namespace among them, which may be zero now or a pattern. */
    void sanitized(boolean deallocates) {
        if (deallocates) {
            erase();
            return;
        }
        clearMetadata();
        unreadable.clear();
        if (zones != null) {
            zones.resetAll();
        }
    }

    /** Metadata of blocks that were never written: zeros, or protection information that says not to check it. */
    void clearMetadata() {
        if (metadata != null && format.isProtected()) {
            metadata.fill(UNCHECKED);
        } else if (metadata != null) {
            media.eraseMetadata(offset, metadata.byteSize());
        }
    }

    int id() {
        return id;
    }

    long offset() {
        return offset;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    /** Which bits of storage tags are checked: all, unless the namespace was created with others. */
    long storageTagMask() {
        return storageTagMask;
    }

    void setStorageTagMask(long mask) {
        storageTagMask = mask & format.protection().storageTagMask();
    }

    BlockFormat format() {
        return format;
    }

    long blockCount() {
        return blockCount;
    }

    int blockShift() {
        return blockShift;
    }

    int commandSet() {
        return zones == null ? Identify.NVM_COMMAND_SET : Identify.ZONED_COMMAND_SET;
    }

    MemorySegment data() {
        return data;
    }

    @Nullable
    MemorySegment metadata() {
        return metadata;
    }

    @Nullable
    Zones zones() {
        return zones;
    }

    Reservations reservations() {
        return reservations;
    }

    boolean isAttached() {
        return attached;
    }

    void setAttached(boolean isAttached) {
        attached = isAttached;
        refresh();
    }

    /** A controller level reset: a host that has no name of its own is no longer registered. */
    void controllerReset() {
        reservations.remove(Reservations.Host.ANONYMOUS);
        refresh();
    }

    boolean isWriteProtected() {
        return writeProtected;
    }

    void setWriteProtected(boolean isProtected) {
        writeProtected = isProtected;
        refresh();
    }

    /** Whether blocks must not be touched, because all media are being sanitized. */
    boolean isBusy() {
        return busy;
    }

    void setBusy(boolean isBusy) {
        busy = isBusy;
        refresh();
    }

    /**
     * Whether reads and writes need no other check than that of their range: the state in which most namespaces spend
     * their lives.
     */
    boolean isPlain() {
        return plain;
    }

    /** Looks again whether it is plain, after something changed that matters for that. */
    void refresh() {
        plain = attached
                && !busy
                && !writeProtected
                && metadata == null
                && zones == null
                && unreadable.isEmpty()
                && !reservations.isHeld();
    }

    /** Whether blocks are all there. Unsigned: the numbers come from the driver. */
    boolean contains(long first, long count) {
        return count <= blockCount && Long.compareUnsigned(first, blockCount - count) <= 0;
    }

    boolean isReadable(long first, long count) {
        return !unreadable.intersects(first, count);
    }

    void makeUnreadable(long first, long count) {
        unreadable.add(first, count);
        refresh();
    }

    /** Blocks were written: whatever they were before, they can be read again. */
    void written(long first, long count) {
        if (!unreadable.isEmpty()) {
            unreadable.remove(first, count);
            refresh();
        }
    }

    /** Makes blocks zero, with metadata that is not checked. */
    void zero(long first, long count) {
        media.erase(offset + (first << blockShift), count << blockShift);
        if (metadata != null) {
            metadata.asSlice(first * format.metadataBytes(), count * format.metadataBytes())
                    .fill(format.isProtected() ? UNCHECKED : 0);
        }
        written(first, count);
    }

    void flush(long first, long count) {
        media.flush(offset + (first << blockShift), count << blockShift);
    }

    void flush() {
        media.flush();
    }
}
