package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Blocks between the host and a namespace, with their metadata: what is checked, compared or copied goes through here, so
 * that a command that fails has changed nothing. Plain reads and writes do without.
 */
final class BlockBuffer {
    private final DataPointer pointer;
    private final long maximumTransferBytes;
    private final Protection protection = new Protection();
    private final MemorySegment data;
    private final MemorySegment metadata;
    // What interleaved blocks look like to the host.
    private final MemorySegment extended;

    BlockBuffer(DataPointer pointer, long maximumTransferBytes, Arena arena) {
        this.pointer = pointer;
        this.maximumTransferBytes = maximumTransferBytes;
        data = arena.allocate(maximumTransferBytes, Long.BYTES);
        metadata = arena.allocate(
                maximumTransferBytes / Media.UNIT_BYTES * BlockFormat.MAXIMUM_METADATA_BYTES, Long.BYTES);
        extended = arena.allocate(maximumTransferBytes, Long.BYTES);
    }

    MemorySegment data() {
        return data;
    }

    MemorySegment metadata() {
        return metadata;
    }

    /** Whether so many blocks are more than a command may transfer. */
    boolean isTooLarge(Namespace namespace, int flags, long blocks) {
        return blocks * hostBytes(namespace.format(), flags) > maximumTransferBytes;
    }

    /** How many blocks fit, whatever becomes of their metadata. */
    long capacityBlocks(Namespace namespace) {
        return maximumTransferBytes >>> namespace.blockShift();
    }

    private static long hostBytes(BlockFormat format, int flags) {
        return (long) format.blockBytes()
                + (format.extended() && !Protection.isInvisible(format, flags) ? format.metadataBytes() : 0);
    }

    /** Takes blocks from the host. Returns a status. */
    int fromHost(Command command, Namespace namespace, int flags, int blocks) {
        BlockFormat format = namespace.format();
        boolean hasMetadata = format.metadataBytes() != 0 && !Protection.isInvisible(format, flags);
        if (!hasMetadata || !format.extended()) {
            int status = pointer.fromHost(command, data, 0, (long) blocks << namespace.blockShift());
            return status != Status.SUCCESS || !hasMetadata
                    ? status
                    : pointer.metadata(false, command, metadata, 0, (long) blocks * format.metadataBytes());
        }
        int status = pointer.fromHost(command, extended, 0, blocks * hostBytes(format, flags));
        for (int i = 0; status == Status.SUCCESS && i < blocks; i++) {
            interleave(format, i, false);
        }
        return status;
    }

    /** Gives blocks to the host. Returns a status. */
    int toHost(Command command, Namespace namespace, int flags, int blocks) {
        BlockFormat format = namespace.format();
        boolean hasMetadata = format.metadataBytes() != 0 && !Protection.isInvisible(format, flags);
        if (!hasMetadata || !format.extended()) {
            int status = pointer.toHost(command, data, 0, (long) blocks << namespace.blockShift());
            return status != Status.SUCCESS || !hasMetadata
                    ? status
                    : pointer.metadata(true, command, metadata, 0, (long) blocks * format.metadataBytes());
        }
        for (int i = 0; i < blocks; i++) {
            interleave(format, i, true);
        }
        return pointer.toHost(command, extended, 0, blocks * hostBytes(format, flags));
    }

    private void interleave(BlockFormat format, int block, boolean together) {
        long dataBytes = format.blockBytes();
        long metadataBytes = format.metadataBytes();
        long at = block * (dataBytes + metadataBytes);
        if (together) {
            MemorySegment.copy(data, block * dataBytes, extended, at, dataBytes);
            MemorySegment.copy(metadata, block * metadataBytes, extended, at + dataBytes, metadataBytes);
        } else {
            MemorySegment.copy(extended, at, data, block * dataBytes, dataBytes);
            MemorySegment.copy(extended, at + dataBytes, metadata, block * metadataBytes, metadataBytes);
        }
    }

    /** Takes blocks from a namespace if they can be read. Returns a status. */
    int read(Namespace namespace, long first, int blocks, Statistics statistics) {
        Zones zones = namespace.zones();
        int status = zones == null ? Status.SUCCESS : zones.checkRead(first, blocks);
        if (status != Status.SUCCESS) {
            return status;
        }
        if (!namespace.isReadable(first, blocks)) {
            statistics.mediaError();
            return Status.UNRECOVERED_READ_ERROR;
        }
        load(namespace, first, blocks);
        return Status.SUCCESS;
    }

    /** Takes blocks from a namespace. */
    void load(Namespace namespace, long first, int blocks) {
        long bytes = (long) blocks << namespace.blockShift();
        MemorySegment.copy(namespace.data(), first << namespace.blockShift(), data, 0, bytes);
        MemorySegment stored = namespace.metadata();
        if (stored != null) {
            long metadataBytes = namespace.format().metadataBytes();
            MemorySegment.copy(stored, first * metadataBytes, metadata, 0, blocks * metadataBytes);
        }
    }

    /** Puts blocks where they belong in a namespace. */
    void store(Namespace namespace, long first, int blocks) {
        long bytes = (long) blocks << namespace.blockShift();
        MemorySegment.copy(data, 0, namespace.data(), first << namespace.blockShift(), bytes);
        MemorySegment stored = namespace.metadata();
        if (stored != null) {
            long metadataBytes = namespace.format().metadataBytes();
            MemorySegment.copy(metadata, 0, stored, first * metadataBytes, blocks * metadataBytes);
        }
        namespace.written(first, blocks);
    }

    /** Checks the protection information of the blocks that are here, as a command asks for. Returns a status. */
    int check(Command command, Namespace namespace, int flags, long first, int blocks) {
        return namespace.format().isProtected()
                ? check(namespace, flags, tags(command, namespace, first), first, blocks)
                : Status.SUCCESS;
    }

    int check(Namespace namespace, int flags, BlockTags tags, long first, int blocks) {
        BlockFormat format = namespace.format();
        if (!format.isProtected()) {
            return Status.SUCCESS;
        }
        int status = protection.start(namespace, flags, tags, first);
        for (int i = 0; status == Status.SUCCESS && i < blocks; i++) {
            long dataAt = (long) i << namespace.blockShift();
            status = protection.check(data, dataAt, metadata, (long) i * format.metadataBytes());
        }
        return status;
    }

    /** Checks what the host brought, or makes the protection information if the controller shall. Returns a status. */
    int protect(Command command, Namespace namespace, int flags, long first, int blocks) {
        return namespace.format().isProtected()
                ? protect(namespace, flags, tags(command, namespace, first), first, blocks)
                : Status.SUCCESS;
    }

    private int protect(Namespace namespace, int flags, BlockTags tags, long first, int blocks) {
        BlockFormat format = namespace.format();
        if (!ProtectionInformation.PRACT.isSet(flags)) {
            return check(namespace, flags, tags, first, blocks);
        }
        if (Protection.isInvisible(format, flags)) {
            metadata.asSlice(0, (long) blocks * format.metadataBytes()).fill((byte) 0);
        }
        int status = protection.start(namespace, flags, tags, first);
        for (int i = 0; status == Status.SUCCESS && i < blocks; i++) {
            long dataAt = (long) i << namespace.blockShift();
            protection.make(data, dataAt, metadata, (long) i * format.metadataBytes());
        }
        return status;
    }

    /** The same for an append to a zone: tags that count from the zone's start move along. Returns a status. */
    int protectAppended(Command command, Namespace namespace, int flags, long zoneFirst, long first, int blocks) {
        BlockFormat format = namespace.format();
        if (!format.isProtected()) {
            return Status.SUCCESS;
        }
        long shift = ProtectionInformation.PIREMAP.isSet(flags) ? first - zoneFirst : 0;
        BlockTags tags = BlockTags.of(command, format);
        if (ProtectionInformation.PRACT.isSet(flags)) {
            return protect(namespace, flags, tags.plus(shift), first, blocks);
        }
        int status = check(namespace, flags, tags, zoneFirst, blocks);
        for (int i = 0; status == Status.SUCCESS && i < blocks; i++) {
            Protection.shift(format, metadata, (long) i * format.metadataBytes(), shift);
        }
        return status;
    }

    // Where a command is carried out in steps, the tags of the step.
    private static BlockTags tags(Command command, Namespace namespace, long first) {
        BlockTags tags = BlockTags.of(command, namespace.format());
        return namespace.format().protectionType() == Protection.TYPE_3
                ? tags
                : tags.plus(first - command.firstBlock());
    }

    /** Whether a namespace holds exactly the blocks that are here; protection information does not count. */
    boolean matches(Namespace namespace, long first, int blocks) {
        long start = first << namespace.blockShift();
        long bytes = (long) blocks << namespace.blockShift();
        if (MemorySegment.mismatch(namespace.data(), start, start + bytes, data, 0, bytes) >= 0) {
            return false;
        }
        MemorySegment stored = namespace.metadata();
        BlockFormat format = namespace.format();
        if (stored == null || format.hasOnlyProtection()) {
            return true;
        }
        int skipped = format.isProtected() ? format.protection().sizeBytes() : 0;
        int from = format.isProtected() && format.protectionFirst() ? skipped : 0;
        int compared = format.metadataBytes() - skipped;
        for (int i = 0; i < blocks; i++) {
            long ours = (first + i) * format.metadataBytes() + from;
            long theirs = (long) i * format.metadataBytes() + from;
            if (MemorySegment.mismatch(stored, ours, ours + compared, metadata, theirs, theirs + compared) >= 0) {
                return false;
            }
        }
        return true;
    }
}
