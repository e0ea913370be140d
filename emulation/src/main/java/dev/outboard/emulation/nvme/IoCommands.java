package dev.outboard.emulation.nvme;

import dev.outboard.emulation.nvme.Reservations.Use;
import dev.outboard.specs.nvme.CommandEffects;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import org.jspecify.annotations.Nullable;

/**
 * The I/O commands, by a table, after the checks that all commands share. Plain reads and writes go another, shorter way:
 * {@link PlainCommand}. NVM command set specification 1.0; zoned namespace command
 * set specification 1.1.
 */
final class IoCommands {
    private static final int RESERVED_POINTER_KIND = 3;

    private final Namespaces namespaces;
    private final Features features;
    private final DataPointer data;
    private final Statistics statistics;
    private final long maximumTransferBytes;
    private final @Nullable HostMemory hostMemory;
    private final Command second = new Command();
    private final @Nullable Entry[] entries = new Entry[1 << Byte.SIZE];
    private boolean writeThrough;

    private record Entry(Use use, boolean zonedOnly, Handler handler) {}

    /** Carries out one kind of command on a namespace that is there. */
    interface Handler {
        /** Returns a status without flags. */
        int execute(Command command, Namespace namespace);
    }

    IoCommands(
            Namespaces namespaces,
            Features features,
            DataPointer data,
            Statistics statistics,
            long maximumTransferBytes,
            @Nullable HostMemory hostMemory) {
        this.namespaces = namespaces;
        this.features = features;
        this.data = data;
        this.statistics = statistics;
        this.maximumTransferBytes = maximumTransferBytes;
        this.hostMemory = hostMemory;
    }

    /** Adds a command, which uses a namespace in a way that reservations may forbid. */
    void add(int opcode, Use use, Handler handler) {
        entries[opcode] = new Entry(use, false, handler);
    }

    /** Adds a command that only zoned namespaces know. */
    void addZoned(int opcode, Use use, Handler handler) {
        entries[opcode] = new Entry(use, true, handler);
    }

    /** A place for a plain read or write. */
    PlainCommand newPlainCommand() {
        return new PlainCommand(namespaces, data, statistics, maximumTransferBytes, hostMemory);
    }

    boolean isWriteThrough() {
        return writeThrough;
    }

    /** Whether writes are durable at once: the volatile write cache is off. */
    void setWriteThrough(boolean durable) {
        writeThrough = durable;
    }

    /** What a command does, for the log page; 0 if it is not there. */
    int effects(int opcode, int commandSet) {
        Entry entry = entries[opcode];
        if (entry == null || (entry.zonedOnly && commandSet != Identify.ZONED_COMMAND_SET)) {
            return 0;
        }
        return CommandEffects.SUPPORTED | (entry.use == Use.WRITE ? CommandEffects.CHANGES_BLOCKS : 0);
    }

    /** Carries out any command. Returns its status without flags. */
    int execute(Command command) {
        Entry entry = entries[command.opcode()];
        if (entry == null) {
            return command.invalid(SubmissionEntry.CDW0, Status.INVALID_OPCODE);
        }
        if (command.pointerKind() == RESERVED_POINTER_KIND) {
            return command.invalid(SubmissionEntry.CDW0);
        }
        if (command.opcode() == Opcode.FLUSH && command.namespaceId() == Command.ALL_NAMESPACES) {
            namespaces.flush();
            return Status.SUCCESS;
        }
        int status = namespaces.check(command);
        Namespace namespace = namespaces.get(command.namespaceId());
        if (status != Status.SUCCESS || namespace == null) {
            return status;
        }
        if (entry.zonedOnly && namespace.zones() == null) {
            return command.invalid(SubmissionEntry.CDW0, Status.INVALID_OPCODE);
        }
        if (namespace.format().isProtected() && namespace.format().isExtension() && !features.knowsExtendedFormats()) {
            return command.invalid(SubmissionEntry.NSID, Status.INVALID_NAMESPACE);
        }
        if (namespace.isBusy()) {
            return Status.SANITIZE_IN_PROGRESS;
        }
        if (entry.use == Use.WRITE && namespace.isWriteProtected() && command.opcode() != Opcode.FLUSH) {
            return Status.WRITE_PROTECTED;
        }
        if (namespace.reservations().conflicts(features.host(), entry.use)) {
            return Status.RESERVATION_CONFLICT;
        }
        int done = entry.handler.execute(command, namespace);
        if (writeThrough && entry.use == Use.WRITE) {
            namespace.flush();
        }
        return done == Status.SUCCESS && !isLookedUp(command, namespace) ? Status.INTERNAL_ERROR : done;
    }

    /** Reads and writes find their blocks by the host memory buffer, if there is one. */
    private boolean isLookedUp(Command command, Namespace namespace) {
        boolean finds = command.opcode() == Opcode.READ || command.opcode() == Opcode.WRITE;
        int shift = namespace.blockShift();
        return hostMemory == null
                || !finds
                || hostMemory.lookUp(namespace, command.firstBlock() << shift, (long) command.blocks() << shift);
    }

    /**
     * Carries out one of two fused commands: both with the first, because no other may come between them. NVMe base
     * specification 2.0, 3.4.2. Returns a status without flags.
     */
    int executeFused(Command command, SubmissionQueue queue) {
        if (command.fuse() == SubmissionEntry.FUSE_SECOND) {
            return queue.takeFusedStatus();
        }
        long next = queue.peek();
        if (command.fuse() != SubmissionEntry.FUSE_FIRST) {
            return command.invalid(SubmissionEntry.CDW0);
        }
        if (next < 0) {
            return Status.MISSING_FUSED;
        }
        second.load(queue.segment(), next, queue.id());
        if (second.fuse() != SubmissionEntry.FUSE_SECOND) {
            return Status.MISSING_FUSED;
        }
        boolean fit = command.opcode() == Opcode.COMPARE
                && second.opcode() == Opcode.WRITE
                && command.namespaceId() == second.namespaceId()
                && command.firstBlock() == second.firstBlock()
                && command.blocks() == second.blocks();
        int status = fit ? execute(command) : command.invalid(SubmissionEntry.CDW0);
        queue.setFusedStatus(status == Status.SUCCESS ? execute(second) : Status.FAILED_FUSED);
        return status;
    }
}
