package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.outboard.emulation.nvme.Reservations.Use;
import dev.outboard.specs.nvme.Copy;
import dev.outboard.specs.nvme.DatasetManagement;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The commands that bring a list of ranges: dataset management and copy. NVM command set specification 1.0, 3.2. */
final class RangeCommands {
    /** How many ranges a copy can have, less one: MSRC. */
    static final int MAXIMUM_SOURCE_RANGES = 127;

    private static final int MAXIMUM_LIST_BYTES = 256 * DatasetManagement.RANGE_BYTES;
    private static final long COPY_LIST_BYTES = (MAXIMUM_SOURCE_RANGES + 1L) * Copy.LONG_RANGE_BYTES;
    private static final int PRINFO_SHIFT = 26;

    private final DataPointer pointer;
    private final BlockBuffer buffer;
    private final Statistics statistics;
    private final MemorySegment list;

    RangeCommands(DataPointer pointer, BlockBuffer buffer, Statistics statistics, Arena arena) {
        this.pointer = pointer;
        this.buffer = buffer;
        this.statistics = statistics;
        list = arena.allocate(Math.max(MAXIMUM_LIST_BYTES, COPY_LIST_BYTES), Long.BYTES);
    }

    void addTo(IoCommands commands) {
        commands.add(Opcode.DATASET_MANAGEMENT, Use.WRITE, this::manageDataset);
        commands.add(Opcode.COPY, Use.WRITE, this::copy);
    }

    private int manageDataset(Command command, Namespace namespace) {
        int ranges = (int) DatasetManagement.NR.get(command.dword(SubmissionEntry.CDW10)) + 1;
        int status = pointer.fromHost(command, list, 0, (long) ranges * DatasetManagement.RANGE_BYTES);
        // Everything but deallocation is a hint.
        boolean deallocates = DatasetManagement.DEALLOCATE.isSet(command.dword(SubmissionEntry.CDW11));
        if (status != Status.SUCCESS || !deallocates) {
            return status;
        }
        for (int i = 0; i < ranges; i++) {
            if (!namespace.contains(first(i), length(i))) {
                return Status.LBA_OUT_OF_RANGE;
            }
        }
        // Blocks of zones are deallocated by resetting the zone.
        for (int i = 0; namespace.zones() == null && i < ranges; i++) {
            namespace.zero(first(i), length(i));
        }
        return Status.SUCCESS;
    }

    private long first(int range) {
        return list.get(
                JAVA_LONG_UNALIGNED, (long) range * DatasetManagement.RANGE_BYTES + DatasetManagement.RANGE_FIRST);
    }

    private long length(int range) {
        return Integer.toUnsignedLong(list.get(
                JAVA_INT_UNALIGNED, (long) range * DatasetManagement.RANGE_BYTES + DatasetManagement.RANGE_LENGTH));
    }

    private int copy(Command command, Namespace namespace) {
        int dword12 = command.dword(SubmissionEntry.CDW12);
        int ranges = (int) Copy.NR.get(dword12) + 1;
        int format = (int) Copy.FORMAT.get(dword12);
        // The long format is for the tags that go with longer guards.
        BlockFormat blockFormat = namespace.format();
        boolean hasLongTags = blockFormat.protection().guard() != Guard.BITS_16;
        if (format > Copy.FORMAT_LONG || (blockFormat.isProtected() && hasLongTags != (format == Copy.FORMAT_LONG))) {
            return command.invalid(SubmissionEntry.CDW12);
        }
        if (ranges > MAXIMUM_SOURCE_RANGES + 1) {
            return command.invalid(SubmissionEntry.CDW12, Status.COMMAND_SIZE_LIMIT_EXCEEDED);
        }
        int rangeBytes = format == Copy.FORMAT_SHORT ? Copy.SHORT_RANGE_BYTES : Copy.LONG_RANGE_BYTES;
        int status = pointer.fromHost(command, list, 0, (long) ranges * rangeBytes);
        if (status == Status.SUCCESS) {
            status = checkCopy(command, namespace, ranges, rangeBytes);
        }
        long target = command.firstBlock();
        for (int i = 0; status == Status.SUCCESS && i < ranges; i++) {
            long at = (long) i * rangeBytes;
            status = copy(command, namespace, at, target);
            target += blocks(at);
            // The first range that was not copied.
            command.result(status == Status.SUCCESS ? 0 : i);
        }
        return status;
    }

    private int checkCopy(Command command, Namespace namespace, int ranges, int rangeBytes) {
        long total = 0;
        for (int i = 0; i < ranges; i++) {
            long at = (long) i * rangeBytes;
            long blocks = blocks(at);
            command.result(i);
            if (blocks > buffer.capacityBlocks(namespace)) {
                return Status.COMMAND_SIZE_LIMIT_EXCEEDED;
            }
            if (!namespace.contains(list.get(JAVA_LONG_UNALIGNED, at + Copy.RANGE_FIRST), blocks)) {
                return Status.LBA_OUT_OF_RANGE;
            }
            total += blocks;
        }
        command.result(0);
        long target = command.firstBlock();
        if (!namespace.contains(target, total)) {
            return command.invalid(SubmissionEntry.CDW10, Status.LBA_OUT_OF_RANGE);
        }
        Zones zones = namespace.zones();
        return zones == null ? Status.SUCCESS : zones.prepareWrite(target, total);
    }

    private long blocks(long range) {
        return Short.toUnsignedLong(list.get(JAVA_SHORT_UNALIGNED, range + Copy.RANGE_NLB)) + 1;
    }

    private int copy(Command command, Namespace namespace, long range, long target) {
        int dword12 = command.dword(SubmissionEntry.CDW12);
        long source = list.get(JAVA_LONG_UNALIGNED, range + Copy.RANGE_FIRST);
        int blocks = (int) blocks(range);
        int status = buffer.read(namespace, source, blocks, statistics);
        if (status == Status.SUCCESS && namespace.format().isProtected()) {
            long flags = Copy.PRINFO_READ.get(dword12) << PRINFO_SHIFT
                    | ProtectionInformation.CHECK_STORAGE_TAG.of(Copy.CHECK_STORAGE_TAG_READ.get(dword12));
            BlockTags tags = BlockTags.of(list, range, namespace.format());
            status = buffer.check(namespace, (int) flags, tags, source, blocks);
        }
        if (status == Status.SUCCESS) {
            int flags = dword12 & (int) (Copy.PRINFO_WRITE.mask() | ProtectionInformation.CHECK_STORAGE_TAG.mask());
            status = buffer.protect(command, namespace, flags, target, blocks);
        }
        if (status == Status.SUCCESS) {
            buffer.store(namespace, target, blocks);
            statistics.copied((long) blocks << namespace.blockShift());
            Zones zones = namespace.zones();
            if (zones != null) {
                zones.wrote(zones.zoneOf(target), blocks);
            }
            if (SubmissionEntry.FUA.isSet(dword12)) {
                namespace.flush(target, blocks);
            }
        }
        return status;
    }
}
