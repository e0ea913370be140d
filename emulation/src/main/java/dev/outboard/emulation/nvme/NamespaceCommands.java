package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.outboard.emulation.nvme.NvmeOptions.ZoneLimits;
import dev.outboard.emulation.nvme.Reservations.Use;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.CommandEffects;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Maintenance;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.function.IntConsumer;

/** Namespaces are created, deleted, attached, detached and formatted. NVMe base specification 2.0, 5.14, 5.22, 5.23. */
final class NamespaceCommands {
    private static final ZoneLimits ZONES_WHERE_NONE_WERE_CHOSEN = new ZoneLimits(16 << 20, 0, 0);

    private final Namespaces namespaces;
    private final ZoneLimits zoneLimits;
    private final DataPointer pointer;
    private final MemorySegment page;
    private final Features features;
    private final SelfTest selfTest;
    private final IntConsumer events;
    private final BitSet changed = new BitSet();

    NamespaceCommands(
            Namespaces namespaces,
            NvmeOptions options,
            DataPointer pointer,
            MemorySegment page,
            Features features,
            SelfTest selfTest,
            IntConsumer events) {
        this.namespaces = namespaces;
        zoneLimits = options.zones().isNone() ? ZONES_WHERE_NONE_WERE_CHOSEN : options.zones();
        this.pointer = pointer;
        this.page = page;
        this.features = features;
        this.selfTest = selfTest;
        this.events = events;
    }

    void addTo(AdminCommands commands, LogPages logs) {
        int inventory = CommandEffects.CHANGES_INVENTORY | CommandEffects.ALONE;
        commands.add(Opcode.NAMESPACE_MANAGEMENT, inventory, this::manage);
        commands.add(Opcode.NAMESPACE_ATTACHMENT, inventory, this::attach);
        int format = CommandEffects.CHANGES_BLOCKS | CommandEffects.CHANGES_NAMESPACE;
        commands.add(Opcode.FORMAT_NVM, format | CommandEffects.ALONE_IN_NAMESPACE, this::format);
        logs.add(LogPage.CHANGED_NAMESPACES, this::changes);
    }

    private int manage(Command command) {
        return switch ((int) NamespaceCommand.SELECT.get(command.dword(SubmissionEntry.CDW10))) {
            case NamespaceCommand.CREATE -> create(command);
            case NamespaceCommand.DELETE -> delete(command);
            default -> command.invalid(SubmissionEntry.CDW10);
        };
    }

    private int create(Command command) {
        int commandSet = (int) NamespaceCommand.COMMAND_SET.get(command.dword(SubmissionEntry.CDW11));
        boolean zoned = commandSet == Identify.ZONED_COMMAND_SET;
        if (commandSet != Identify.NVM_COMMAND_SET && !zoned) {
            return command.invalid(SubmissionEntry.CDW11, Status.COMMAND_SET_NOT_SUPPORTED);
        }
        int status = pointer.fromHost(command, page, 0, Identify.SIZE_BYTES);
        if (status != Status.SUCCESS) {
            return status;
        }
        StructView asked = Identify.NAMESPACE.view(page);
        BlockFormat format = BlockFormat.of((int) asked.get("flbas"), (int) asked.get("dps"));
        long blocks = asked.get("nsze");
        if (!format.isPossible()) {
            return Status.INVALID_FORMAT;
        }
        if (format.isExtension() && !features.knowsExtendedFormats()) {
            return Status.INVALID_NAMESPACE;
        }
        // Shared namespaces need a second controller.
        if (blocks == 0 || asked.get("nmic") != 0) {
            return Status.INVALID_FIELD;
        }
        if (asked.get("ncap") != blocks) {
            return Status.THIN_PROVISIONING_UNSUPPORTED;
        }
        if (blocks < 0 || blocks > namespaces.totalBytes() >>> format.blockShift()) {
            return Status.INSUFFICIENT_CAPACITY;
        }
        long bytes = blocks << format.blockShift();
        if (zoned && bytes % zoneLimits.sizeBytes() != 0) {
            return Status.INVALID_FIELD;
        }
        if (namespaces.freeId() == 0) {
            return Status.NAMESPACE_ID_UNAVAILABLE;
        }
        Namespace created = namespaces.create(bytes, format, zoned ? zoneLimits : ZoneLimits.NONE);
        if (created == null) {
            return Status.INSUFFICIENT_CAPACITY;
        }
        created.setStorageTagMask(page.get(JAVA_LONG, Identify.CREATED_STORAGE_TAG_MASK));
        command.result(created.id());
        return Status.SUCCESS;
    }

    private int delete(Command command) {
        if (command.namespaceId() == Command.ALL_NAMESPACES) {
            if (namespaces.isAnyWriteProtected()) {
                return Status.WRITE_PROTECTED;
            }
            namespaces.forEach(this::delete);
            return Status.SUCCESS;
        }
        Namespace namespace = namespaces.get(command.namespaceId());
        if (namespace == null) {
            return notAllocated(command);
        }
        if (namespace.isWriteProtected()) {
            return Status.WRITE_PROTECTED;
        }
        delete(namespace);
        return Status.SUCCESS;
    }

    private void delete(Namespace namespace) {
        selfTest.end(Maintenance.TEST_ABORTED_BY_REMOVAL);
        namespaces.delete(namespace);
        if (namespace.isAttached()) {
            changed(namespace.id());
        }
    }

    private static int notAllocated(Command command) {
        int id = command.namespaceId();
        return command.invalid(
                SubmissionEntry.NSID,
                id < 1 || id > Namespaces.MAXIMUM ? Status.INVALID_NAMESPACE : Status.INVALID_FIELD);
    }

    private int attach(Command command) {
        int select = (int) NamespaceCommand.SELECT.get(command.dword(SubmissionEntry.CDW10));
        if (select > NamespaceCommand.DETACH) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        Namespace namespace = namespaces.get(command.namespaceId());
        if (namespace == null) {
            return notAllocated(command);
        }
        int status = pointer.fromHost(command, page, 0, Identify.SIZE_BYTES);
        if (status != Status.SUCCESS) {
            return status;
        }
        // A count, then identifiers; there is one controller.
        if (page.get(JAVA_SHORT, 0) != 1 || page.get(JAVA_SHORT, Short.BYTES) != IdentifyData.CONTROLLER_ID) {
            return Status.CONTROLLER_LIST_INVALID;
        }
        boolean attaches = select == NamespaceCommand.ATTACH;
        if (namespace.isAttached() == attaches) {
            return attaches ? Status.ALREADY_ATTACHED : Status.NOT_ATTACHED;
        }
        namespace.setAttached(attaches);
        changed(namespace.id());
        return Status.SUCCESS;
    }

    private int format(Command command) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        BlockFormat format = BlockFormat.of(dword10);
        if (!format.isPossible()) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_FORMAT);
        }
        if (format.isExtension() && !features.knowsExtendedFormats()) {
            return command.invalid(SubmissionEntry.CDW10, Status.INVALID_NAMESPACE);
        }
        if (NamespaceCommand.SECURE_ERASE.get(dword10) > NamespaceCommand.ERASE_CRYPTOGRAPHIC) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        boolean all = command.namespaceId() == Command.ALL_NAMESPACES;
        int status = all ? Status.SUCCESS : namespaces.check(command);
        for (int id = 1; status == Status.SUCCESS && id <= Namespaces.MAXIMUM; id++) {
            Namespace namespace = namespaces.get(id);
            if (namespace != null && (all || id == command.namespaceId())) {
                status = checkFormat(namespace, format);
            }
        }
        if (status != Status.SUCCESS) {
            return status;
        }
        selfTest.end(Maintenance.TEST_ABORTED_BY_FORMAT);
        namespaces.forEach(namespace -> {
            if (all || namespace.id() == command.namespaceId()) {
                format(namespace, format);
            }
        });
        return Status.SUCCESS;
    }

    private int checkFormat(Namespace namespace, BlockFormat format) {
        if (namespace.isWriteProtected()) {
            return Status.WRITE_PROTECTED;
        }
        // Too small for one block of the new size.
        if (namespace.sizeBytes() < format.blockBytes()) {
            return Status.INVALID_FORMAT;
        }
        return namespace.reservations().conflicts(features.host(), Use.WRITE)
                ? Status.RESERVATION_CONFLICT
                : Status.SUCCESS;
    }

    private void format(Namespace namespace, BlockFormat format) {
        long before = namespace.blockCount();
        namespace.format(format);
        if (namespace.blockCount() != before) {
            changed(namespace.id());
        }
    }

    private void changed(int id) {
        changed.set(id);
        events.accept(AsynchronousEvent.NAMESPACES_CHANGED);
    }

    // The identifiers of the namespaces that changed since it was read. 5.16.1.5.
    private int changes(Command command, MemorySegment target) {
        long at = 0;
        for (int id = changed.nextSetBit(0); id >= 0; id = changed.nextSetBit(id + 1)) {
            target.set(JAVA_INT, at, id);
            at += Integer.BYTES;
        }
        if (!LogPage.RETAIN_EVENT.isSet(command.dword(SubmissionEntry.CDW10))) {
            changed.clear();
        }
        return (int) target.byteSize();
    }
}
