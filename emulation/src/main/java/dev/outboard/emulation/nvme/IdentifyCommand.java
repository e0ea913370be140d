package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Identify: which page a command asks for. NVMe base specification 2.0, 5.17, figure 273. */
final class IdentifyCommand {
    private static final int FIRST_RESERVED_NAMESPACE = -2;
    private static final int HIGHEST_CNS = Identify.CNS_COMMAND_SETS;

    private final IdentifyData data;
    private final Namespaces namespaces;
    private final DataPointer pointer;
    private final Features features;
    private final MemorySegment page;
    private final @Nullable Page[] pages = new Page[HIGHEST_CNS + 1];

    /** Fills the page. */
    private interface Page {
        /** Returns a status. */
        int fill(Command command);
    }

    /** Fills the page for a namespace that is there. */
    private interface NamespacePage {
        void fill(Namespace namespace);
    }

    IdentifyCommand(
            IdentifyData data, Namespaces namespaces, DataPointer pointer, Features features, MemorySegment page) {
        this.data = data;
        this.features = features;
        this.namespaces = namespaces;
        this.pointer = pointer;
        this.page = page;
        pages[Identify.CNS_NAMESPACE] = command -> namespace(command, true, this::commonBlocks, this::blocks);
        pages[Identify.CNS_CONTROLLER] = command -> done(() -> data.controller(page));
        pages[Identify.CNS_ACTIVE_NAMESPACES] = command -> list(command, namespaces::isActive);
        pages[Identify.CNS_NAMESPACE_DESCRIPTORS] = command -> exact(command, n -> data.namespaceDescriptors(page, n));
        pages[Identify.CNS_COMMAND_SET_NAMESPACE] = command -> commandSetNamespace(command, true);
        pages[Identify.CNS_COMMAND_SET_CONTROLLER] = this::commandSetController;
        pages[Identify.CNS_COMMAND_SET_ACTIVE_NAMESPACES] =
                command -> list(command, n -> namespaces.isActive(n) && n.commandSet() == commandSet(command));
        pages[Identify.CNS_INDEPENDENT_NAMESPACE] =
                command -> namespace(command, true, IdentifyCommand::nothing, n -> data.independentNamespace(page, n));
        pages[Identify.CNS_ALLOCATED_NAMESPACES] = command -> list(command, n -> true);
        pages[Identify.CNS_ALLOCATED_NAMESPACE] =
                command -> namespace(command, false, this::commonBlocks, this::blocks);
        pages[Identify.CNS_ATTACHED_CONTROLLERS] = command -> namespace(command, false, IdentifyCommand::nothing, n -> {
            if (n.isAttached()) {
                controllers(command);
            }
        });
        pages[Identify.CNS_CONTROLLERS] = command -> done(() -> controllers(command));
        pages[Identify.CNS_PRIMARY_CONTROLLER] = command -> done(() -> IdentifyData.primaryController(page));
        // There are none: an empty list.
        pages[Identify.CNS_SECONDARY_CONTROLLERS] = command -> Status.SUCCESS;
        pages[Identify.CNS_COMMAND_SET_ALLOCATED_NAMESPACES] =
                command -> list(command, n -> n.commandSet() == commandSet(command));
        pages[Identify.CNS_COMMAND_SET_ALLOCATED_NAMESPACE] = command -> commandSetNamespace(command, false);
        pages[Identify.CNS_COMMAND_SETS] = command -> done(this::commandSets);
    }

    void addTo(AdminCommands commands) {
        commands.add(Opcode.IDENTIFY, 0, this::identify);
    }

    private int identify(Command command) {
        int what = (int) SubmissionEntry.CNS.get(command.dword(SubmissionEntry.CDW10));
        Page found = what < pages.length ? pages[what] : null;
        if (found == null) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        page.fill((byte) 0);
        int status = found.fill(command);
        return status == Status.SUCCESS ? pointer.toHost(command, page, 0, Identify.SIZE_BYTES) : status;
    }

    private static int done(Runnable filled) {
        filled.run();
        return Status.SUCCESS;
    }

    private static void nothing() {
        // Namespaces have nothing of this page in common.
    }

    private void commonBlocks() {
        data.commonNamespace(page, features.knowsExtendedFormats());
    }

    private void blocks(Namespace namespace) {
        // Namespaces without blocks in the sense of the NVM command set do not exist here.
        data.namespace(page, namespace, features.knowsExtendedFormats());
    }

    /**
     * A namespace that is not there leaves the page empty, one that cannot be is an error; of all namespaces there is what
     * they have in common. 3.2.1.5.
     */
    private int namespace(Command command, boolean activeOnly, Runnable common, NamespacePage filled) {
        int id = command.namespaceId();
        if (id == Command.ALL_NAMESPACES) {
            common.run();
            return Status.SUCCESS;
        }
        if (id < 1 || id > Namespaces.MAXIMUM) {
            return command.invalid(SubmissionEntry.NSID, Status.INVALID_NAMESPACE);
        }
        Namespace found = namespaces.get(id);
        if (found != null && (!activeOnly || namespaces.isActive(found))) {
            filled.fill(found);
        }
        return Status.SUCCESS;
    }

    /** The same where only an active namespace will do. */
    private int exact(Command command, NamespacePage filled) {
        Namespace found = namespaces.get(command.namespaceId());
        int status = namespaces.check(command);
        if (status != Status.SUCCESS || found == null) {
            return command.invalid(SubmissionEntry.NSID, Status.INVALID_NAMESPACE);
        }
        filled.fill(found);
        return Status.SUCCESS;
    }

    private int commandSetNamespace(Command command, boolean activeOnly) {
        int commandSet = commandSet(command);
        if (commandSet != Identify.NVM_COMMAND_SET && commandSet != Identify.ZONED_COMMAND_SET) {
            return command.invalid(SubmissionEntry.CDW11);
        }
        Namespace found = namespaces.get(command.namespaceId());
        Zones zones = found == null ? null : found.zones();
        if (commandSet == Identify.ZONED_COMMAND_SET && found != null && zones == null) {
            return command.invalid(SubmissionEntry.CDW11);
        }
        if (commandSet == Identify.NVM_COMMAND_SET) {
            boolean extended = features.knowsExtendedFormats();
            return namespace(
                    command,
                    activeOnly,
                    () -> IdentifyData.nvmNamespace(page, null, extended),
                    n -> IdentifyData.nvmNamespace(page, n, extended));
        }
        return namespace(command, activeOnly, IdentifyCommand::nothing, n -> {
            if (zones != null) {
                IdentifyData.zonedNamespace(page, zones);
            }
        });
    }

    private int commandSetController(Command command) {
        int commandSet = commandSet(command);
        // Both pages hold limits beyond the usual ones, and zero means that there are none.
        return commandSet == Identify.NVM_COMMAND_SET || commandSet == Identify.ZONED_COMMAND_SET
                ? Status.SUCCESS
                : command.invalid(SubmissionEntry.CDW11);
    }

    private static int commandSet(Command command) {
        return (int) SubmissionEntry.COMMAND_SET.get(command.dword(SubmissionEntry.CDW11));
    }

    private int list(Command command, Predicate<Namespace> listed) {
        int above = command.namespaceId();
        if (Integer.compareUnsigned(above, FIRST_RESERVED_NAMESPACE) >= 0) {
            return command.invalid(SubmissionEntry.NSID, Status.INVALID_NAMESPACE);
        }
        long at = 0;
        for (int id = 1; id <= Namespaces.MAXIMUM; id++) {
            Namespace namespace = namespaces.get(id);
            if (Integer.compareUnsigned(id, above) > 0 && namespace != null && listed.test(namespace)) {
                page.set(JAVA_INT_UNALIGNED, at, id);
                at += Integer.BYTES;
            }
        }
        return Status.SUCCESS;
    }

    // A count, then identifiers from the one that was asked for.
    private void controllers(Command command) {
        long from = SubmissionEntry.CONTROLLER_ID.get(command.dword(SubmissionEntry.CDW10));
        if (from <= IdentifyData.CONTROLLER_ID) {
            page.set(JAVA_SHORT_UNALIGNED, 0, (short) 1);
            page.set(JAVA_SHORT_UNALIGNED, Short.BYTES, (short) IdentifyData.CONTROLLER_ID);
        }
    }

    // One combination: both.
    private void commandSets() {
        page.set(JAVA_LONG_UNALIGNED, 0, 1L << Identify.NVM_COMMAND_SET | 1L << Identify.ZONED_COMMAND_SET);
    }
}
