package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.emulation.nvme.Reservations.Use;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import dev.outboard.specs.nvme.Zone;
import java.lang.foreign.MemorySegment;

/** The commands on zones. Zoned namespace command set specification 1.1, 3.4. */
final class ZoneCommands {
    // The selections of a report are the states, in this order, after "all". Figure 33.
    private static final int[] SELECTED = {
        Zone.EMPTY,
        Zone.IMPLICITLY_OPENED,
        Zone.EXPLICITLY_OPENED,
        Zone.CLOSED,
        Zone.FULL,
        Zone.READ_ONLY,
        Zone.IS_OFFLINE
    };

    private final DataPointer pointer;
    private final BlockBuffer buffer;
    private final long maximumTransferBytes;

    ZoneCommands(DataPointer pointer, BlockBuffer buffer, long maximumTransferBytes) {
        this.pointer = pointer;
        this.buffer = buffer;
        this.maximumTransferBytes = maximumTransferBytes;
    }

    void addTo(IoCommands commands) {
        commands.addZoned(Opcode.ZONE_MANAGEMENT_SEND, Use.WRITE, this::send);
        commands.addZoned(Opcode.ZONE_MANAGEMENT_RECEIVE, Use.READ, this::receive);
    }

    private int send(Command command, Namespace namespace) {
        Zones zones = zones(namespace);
        int dword13 = command.dword(SubmissionEntry.CDW13);
        int action = (int) Zone.SEND_ACTION.get(dword13);
        if (!isAction(action)) {
            return command.invalid(SubmissionEntry.CDW13);
        }
        if (Zone.SELECT_ALL.isSet(dword13)) {
            return action == Zone.SET_EXTENSION
                    ? command.invalid(SubmissionEntry.CDW13)
                    : sendToAll(namespace, zones, action);
        }
        long first = command.firstBlock();
        if (!namespace.contains(first, 1)) {
            return command.invalid(SubmissionEntry.CDW10, Status.LBA_OUT_OF_RANGE);
        }
        if (!zones.isFirstBlock(first)) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        int zone = zones.zoneOf(first);
        if (action == Zone.SET_EXTENSION) {
            MemorySegment extension = buffer.data().asSlice(0, Zones.EXTENSION_BYTES);
            int status = pointer.fromHost(command, extension, 0, Zones.EXTENSION_BYTES);
            return status == Status.SUCCESS ? zones.setExtension(zone, extension) : status;
        }
        return send(namespace, zones, zone, action);
    }

    private static boolean isAction(int action) {
        return (action >= Zone.CLOSE && action <= Zone.OFFLINE) || action == Zone.SET_EXTENSION;
    }

    private static int send(Namespace namespace, Zones zones, int zone, int action) {
        return switch (action) {
            case Zone.OPEN -> zones.open(zone, Zone.EXPLICITLY_OPENED);
            case Zone.CLOSE -> zones.close(zone);
            case Zone.FINISH -> zones.finish(zone);
            case Zone.RESET -> reset(namespace, zones, zone);
            default -> zones.takeOffline(zone);
        };
    }

    private static int reset(Namespace namespace, Zones zones, int zone) {
        boolean hasBlocks = zones.state(zone) != Zone.EMPTY;
        int status = zones.reset(zone);
        if (status == Status.SUCCESS && hasBlocks) {
            namespace.zero(zones.firstBlock(zone), zones.zoneBlocks());
        }
        return status;
    }

    private static int sendToAll(Namespace namespace, Zones zones, int action) {
        int status = Status.SUCCESS;
        for (int zone = 0; status == Status.SUCCESS && zone < zones.count(); zone++) {
            if (isSelected(zones.state(zone), action)) {
                status = send(namespace, zones, zone, action);
            }
        }
        return status;
    }

    // Which zones "all" means depends on the action. 3.4.3.1.
    private static boolean isSelected(int state, int action) {
        boolean isOpen = state == Zone.IMPLICITLY_OPENED || state == Zone.EXPLICITLY_OPENED;
        return switch (action) {
            case Zone.OPEN -> state == Zone.CLOSED;
            case Zone.CLOSE -> isOpen;
            case Zone.FINISH -> isOpen || state == Zone.CLOSED;
            case Zone.RESET -> isOpen || state == Zone.CLOSED || state == Zone.FULL;
            default -> state == Zone.READ_ONLY;
        };
    }

    private int receive(Command command, Namespace namespace) {
        Zones zones = zones(namespace);
        int dword13 = command.dword(SubmissionEntry.CDW13);
        int action = (int) Zone.RECEIVE_ACTION.get(dword13);
        int select = (int) Zone.RECEIVE_SELECT.get(dword13);
        if (action > Zone.EXTENDED_REPORT || select > SELECTED.length) {
            return command.invalid(SubmissionEntry.CDW13);
        }
        long first = command.firstBlock();
        if (!namespace.contains(first, 1)) {
            return command.invalid(SubmissionEntry.CDW10, Status.LBA_OUT_OF_RANGE);
        }
        long bytes = (Integer.toUnsignedLong(command.dword(SubmissionEntry.CDW12)) + 1) * Integer.BYTES;
        if (bytes > maximumTransferBytes) {
            return command.invalid(SubmissionEntry.CDW12);
        }
        MemorySegment report = buffer.data().asSlice(0, maximumTransferBytes).fill((byte) 0);
        boolean extended = action == Zone.EXTENDED_REPORT;
        long entryBytes = Zone.DESCRIPTOR.byteSize() + (extended ? Zones.EXTENSION_BYTES : 0);
        long at = Zone.REPORT_HEAD_BYTES;
        long matching = 0;
        long reported = 0;
        for (int zone = zones.zoneOf(first); zone < zones.count(); zone++) {
            if (select != 0 && zones.state(zone) != SELECTED[select - 1]) {
                continue;
            }
            matching++;
            if (at + entryBytes <= bytes) {
                describe(zones, zone, extended, report.asSlice(at, entryBytes));
                at += entryBytes;
                reported++;
            }
        }
        report.set(JAVA_LONG, 0, Zone.PARTIAL.isSet(dword13) ? reported : matching);
        return pointer.toHost(command, report, 0, bytes);
    }

    private static void describe(Zones zones, int zone, boolean extended, MemorySegment entry) {
        byte[] extension = zones.extension(zone);
        Zone.DESCRIPTOR
                .view(entry)
                .set("zt", Zone.SEQUENTIAL_WRITE_REQUIRED)
                .set("zs", Zone.STATE.of(zones.state(zone)))
                .set("za", extension == null ? 0 : Zone.ATTRIBUTE_EXTENSION_VALID)
                .set("zcap", zones.zoneBlocks())
                .set("zslba", zones.firstBlock(zone))
                .set("wp", zones.hasWritePointer(zone) ? zones.writePointer(zone) : -1);
        if (extended && extension != null) {
            entry.asSlice(Zone.DESCRIPTOR.byteSize()).copyFrom(MemorySegment.ofArray(extension));
        }
    }

    private static Zones zones(Namespace namespace) {
        Zones zones = namespace.zones();
        if (zones == null) {
            throw new IllegalStateException("namespace " + namespace.id() + " is not zoned");
        }
        return zones;
    }
}
