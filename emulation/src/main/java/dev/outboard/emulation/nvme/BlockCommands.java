package dev.outboard.emulation.nvme;

import dev.outboard.emulation.nvme.Reservations.Use;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.ProtectionInformation;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;

/**
 * The commands on one range of blocks, in all their forms: with metadata and protection information, to zones. NVM
 * command set specification 1.0, 3.2.
 */
final class BlockCommands {
    private final DataPointer pointer;
    private final BlockBuffer buffer;
    private final Statistics statistics;

    BlockCommands(DataPointer pointer, BlockBuffer buffer, Statistics statistics) {
        this.pointer = pointer;
        this.buffer = buffer;
        this.statistics = statistics;
    }

    void addTo(IoCommands commands) {
        commands.add(Opcode.FLUSH, Use.WRITE, BlockCommands::flush);
        commands.add(Opcode.READ, Use.READ, this::read);
        commands.add(Opcode.WRITE, Use.WRITE, this::write);
        commands.add(Opcode.COMPARE, Use.READ, this::compare);
        commands.add(Opcode.VERIFY, Use.READ, this::verify);
        commands.add(Opcode.WRITE_ZEROES, Use.WRITE, this::writeZeroes);
        commands.add(Opcode.WRITE_UNCORRECTABLE, Use.WRITE, this::writeUncorrectable);
        commands.addZoned(Opcode.ZONE_APPEND, Use.WRITE, this::append);
    }

    private static int flush(Command command, Namespace namespace) {
        namespace.flush();
        return Status.SUCCESS;
    }

    private int read(Command command, Namespace namespace) {
        int flags = command.dword(SubmissionEntry.CDW12);
        int blocks = command.blocks();
        statistics.read(bytes(command, namespace));
        int status = checkSize(command, namespace, flags);
        if (status == Status.SUCCESS && namespace.isPlain()) {
            // By SGL: nothing to check on the way.
            return pointer.toHost(command, namespace.data(), start(command, namespace), bytes(command, namespace));
        }
        if (status == Status.SUCCESS) {
            status = load(command, namespace, command.firstBlock(), blocks);
        }
        return status == Status.SUCCESS ? buffer.toHost(command, namespace, flags, blocks) : status;
    }

    private int write(Command command, Namespace namespace) {
        int flags = command.dword(SubmissionEntry.CDW12);
        long first = command.firstBlock();
        int blocks = command.blocks();
        statistics.written(bytes(command, namespace));
        int status = checkSize(command, namespace, flags);
        if (status == Status.SUCCESS && namespace.isPlain()) {
            long bytes = bytes(command, namespace);
            status = pointer.fromHost(command, namespace.data(), start(command, namespace), bytes);
            wrote(command, namespace, first, blocks);
            return status;
        }
        Zones zones = namespace.zones();
        if (status == Status.SUCCESS && zones != null) {
            status = zones.prepareWrite(first, blocks);
        }
        if (status == Status.SUCCESS) {
            status = buffer.fromHost(command, namespace, flags, blocks);
        }
        if (status == Status.SUCCESS) {
            status = buffer.protect(command, namespace, flags, first, blocks);
        }
        if (status == Status.SUCCESS) {
            buffer.store(namespace, first, blocks);
            wrote(command, namespace, first, blocks);
        }
        return status;
    }

    // Zoned namespace command set specification 1.1, 3.4.1.
    private int append(Command command, Namespace namespace) {
        Zones zones = namespace.zones();
        int flags = command.dword(SubmissionEntry.CDW12);
        long zoneFirst = command.firstBlock();
        int blocks = command.blocks();
        statistics.written(bytes(command, namespace));
        if (zones == null || !zones.isFirstBlock(zoneFirst)) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        if (buffer.isTooLarge(namespace, flags, blocks)) {
            return command.invalid(SubmissionEntry.CDW12);
        }
        BlockFormat format = namespace.format();
        boolean remaps = ProtectionInformation.PIREMAP.isSet(flags);
        // The reference tags of type 1 are the blocks' addresses, those of type 3 the host's own.
        if (format.protectionType() == (remaps ? Protection.TYPE_3 : Protection.TYPE_1)) {
            return command.invalid(SubmissionEntry.CDW12, Status.INVALID_PROTECTION_INFORMATION);
        }
        int zone = zones.zoneOf(zoneFirst);
        int status = zones.prepareAppend(zone, blocks);
        if (status == Status.SUCCESS) {
            status = buffer.fromHost(command, namespace, flags, blocks);
        }
        if (status != Status.SUCCESS) {
            return status;
        }
        long first = zones.writePointer(zone);
        status = buffer.protectAppended(command, namespace, flags, zoneFirst, first, blocks);
        if (status == Status.SUCCESS) {
            buffer.store(namespace, first, blocks);
            wrote(command, namespace, first, blocks);
            command.result(first);
        }
        return status;
    }

    private int compare(Command command, Namespace namespace) {
        int flags = command.dword(SubmissionEntry.CDW12);
        long first = command.firstBlock();
        int blocks = command.blocks();
        statistics.read(bytes(command, namespace));
        int status = checkSize(command, namespace, flags);
        if (status == Status.SUCCESS) {
            status = load(command, namespace, first, blocks);
        }
        if (status == Status.SUCCESS) {
            status = buffer.fromHost(command, namespace, flags, blocks);
        }
        if (status == Status.SUCCESS && !buffer.matches(namespace, first, blocks)) {
            status = Status.COMPARE_FAILURE;
        }
        return status;
    }

    private int verify(Command command, Namespace namespace) {
        long first = command.firstBlock();
        int blocks = command.blocks();
        if (!namespace.contains(first, blocks)) {
            return command.invalid(SubmissionEntry.CDW10, Status.LBA_OUT_OF_RANGE);
        }
        // Its size has no limit, but that of the buffer has.
        int step = (int) Math.min(blocks, buffer.capacityBlocks(namespace));
        int status = Status.SUCCESS;
        for (int done = 0; status == Status.SUCCESS && done < blocks; done += step) {
            status = load(command, namespace, first + done, Math.min(step, blocks - done));
        }
        return status;
    }

    private int writeZeroes(Command command, Namespace namespace) {
        long first = command.firstBlock();
        int blocks = command.blocks();
        int flags = command.dword(SubmissionEntry.CDW12);
        if (!namespace.contains(first, blocks)) {
            return command.invalid(SubmissionEntry.CDW10, Status.LBA_OUT_OF_RANGE);
        }
        Zones zones = namespace.zones();
        int status = zones == null ? Status.SUCCESS : zones.prepareWrite(first, blocks);
        if (status != Status.SUCCESS) {
            return status;
        }
        namespace.zero(first, blocks);
        if (namespace.format().isProtected() && ProtectionInformation.PRACT.isSet(flags)) {
            int step = (int) Math.min(blocks, buffer.capacityBlocks(namespace));
            for (int done = 0; status == Status.SUCCESS && done < blocks; done += step) {
                int count = Math.min(step, blocks - done);
                buffer.load(namespace, first + done, count);
                status = buffer.protect(command, namespace, flags, first + done, count);
                if (status == Status.SUCCESS) {
                    buffer.store(namespace, first + done, count);
                }
            }
        }
        wrote(command, namespace, first, blocks);
        return status;
    }

    private int writeUncorrectable(Command command, Namespace namespace) {
        long first = command.firstBlock();
        int blocks = command.blocks();
        if (!namespace.contains(first, blocks)) {
            return command.invalid(SubmissionEntry.CDW10, Status.LBA_OUT_OF_RANGE);
        }
        Zones zones = namespace.zones();
        int status = zones == null ? Status.SUCCESS : zones.prepareWrite(first, blocks);
        if (status == Status.SUCCESS) {
            namespace.makeUnreadable(first, blocks);
            if (zones != null) {
                zones.wrote(zones.zoneOf(first), blocks);
            }
        }
        return status;
    }

    private static long start(Command command, Namespace namespace) {
        return command.firstBlock() << namespace.blockShift();
    }

    private static long bytes(Command command, Namespace namespace) {
        return (long) command.blocks() << namespace.blockShift();
    }

    private int checkSize(Command command, Namespace namespace, int flags) {
        int blocks = command.blocks();
        if (!namespace.contains(command.firstBlock(), blocks)) {
            return command.invalid(SubmissionEntry.CDW10, Status.LBA_OUT_OF_RANGE);
        }
        return buffer.isTooLarge(namespace, flags, blocks) ? command.invalid(SubmissionEntry.CDW12) : Status.SUCCESS;
    }

    private int load(Command command, Namespace namespace, long first, int blocks) {
        int status = buffer.read(namespace, first, blocks, statistics);
        return status == Status.SUCCESS
                ? buffer.check(command, namespace, command.dword(SubmissionEntry.CDW12), first, blocks)
                : status;
    }

    private void wrote(Command command, Namespace namespace, long first, int blocks) {
        Zones zones = namespace.zones();
        if (zones != null) {
            zones.wrote(zones.zoneOf(first), blocks);
        }
        if (SubmissionEntry.FUA.isSet(command.dword(SubmissionEntry.CDW12))) {
            namespace.flush(first, blocks);
        }
    }
}
