package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.emulation.nvme.Reservations.Host;
import dev.outboard.emulation.nvme.Reservations.Use;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Reservation;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/** The commands on reservations. NVMe base specification 2.0, 7.2 to 7.5. */
final class ReservationCommands {
    private static final int NO_CONTROLLER = 0xffff;
    private static final int MAXIMUM_REPORT_BYTES = 1 << 16;

    private final DataPointer pointer;
    private final Features features;
    private final MemorySegment page;

    ReservationCommands(DataPointer pointer, Features features, Arena arena) {
        this.pointer = pointer;
        this.features = features;
        page = arena.allocate(MAXIMUM_REPORT_BYTES, Long.BYTES);
    }

    void addTo(IoCommands commands) {
        commands.add(Opcode.RESERVATION_REGISTER, Use.NONE, this::register);
        commands.add(Opcode.RESERVATION_ACQUIRE, Use.NONE, this::acquire);
        commands.add(Opcode.RESERVATION_RELEASE, Use.NONE, this::release);
        commands.add(Opcode.RESERVATION_REPORT, Use.NONE, this::report);
    }

    private int register(Command command, Namespace namespace) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        int status = pointer.fromHost(command, page, 0, Reservation.KEYS_BYTES);
        if (status != Status.SUCCESS) {
            return status;
        }
        Reservations reservations = namespace.reservations();
        status = reservations.register(
                features.host(),
                (int) Reservation.ACTION.get(dword10),
                Reservation.IGNORE_KEY.isSet(dword10),
                page.get(JAVA_LONG, Reservation.CURRENT_KEY),
                page.get(JAVA_LONG, Reservation.OTHER_KEY));
        if (status == Status.SUCCESS) {
            switch ((int) Reservation.PERSISTENCE.get(dword10)) {
                case Reservation.PERSISTENCE_ON -> reservations.setPersistent(true);
                case Reservation.PERSISTENCE_OFF -> reservations.setPersistent(false);
                default -> {
                    // No change.
                }
            }
            namespace.refresh();
        }
        return status == Status.INVALID_FIELD ? command.invalid(SubmissionEntry.CDW10) : status;
    }

    private int acquire(Command command, Namespace namespace) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        int status = pointer.fromHost(command, page, 0, Reservation.KEYS_BYTES);
        if (status == Status.SUCCESS) {
            status = namespace
                    .reservations()
                    .acquire(
                            features.host(),
                            (int) Reservation.ACTION.get(dword10),
                            Reservation.IGNORE_KEY.isSet(dword10),
                            page.get(JAVA_LONG, Reservation.CURRENT_KEY),
                            page.get(JAVA_LONG, Reservation.OTHER_KEY),
                            (int) Reservation.TYPE.get(dword10));
            namespace.refresh();
        }
        return status == Status.INVALID_FIELD ? command.invalid(SubmissionEntry.CDW10) : status;
    }

    private int release(Command command, Namespace namespace) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        int status = pointer.fromHost(command, page, 0, Long.BYTES);
        if (status == Status.SUCCESS) {
            status = namespace
                    .reservations()
                    .release(
                            features.host(),
                            (int) Reservation.ACTION.get(dword10),
                            Reservation.IGNORE_KEY.isSet(dword10),
                            page.get(JAVA_LONG, Reservation.CURRENT_KEY),
                            (int) Reservation.TYPE.get(dword10));
            namespace.refresh();
        }
        return status == Status.INVALID_FIELD ? command.invalid(SubmissionEntry.CDW10) : status;
    }

    private int report(Command command, Namespace namespace) {
        boolean extended = Reservation.EXTENDED.isSet(command.dword(SubmissionEntry.CDW11));
        if (extended != features.isHostExtended()) {
            return command.invalid(SubmissionEntry.CDW11, Status.HOST_ID_INCONSISTENT);
        }
        long bytes = (Integer.toUnsignedLong(command.dword(SubmissionEntry.CDW10)) + 1) * Integer.BYTES;
        Reservations reservations = namespace.reservations();
        MemorySegment report = page.fill((byte) 0);
        Reservation.STATUS
                .view(report)
                .set("gen", reservations.generation())
                .set("rtype", reservations.type())
                .set("regctl", reservations.registrants().size())
                .set("ptpls", reservations.isPersistent() ? 1 : 0);
        long at = extended ? Reservation.EXTENDED_STATUS_BYTES : Reservation.STATUS.byteSize();
        for (Map.Entry<Host, Long> registrant : reservations.registrants().entrySet()) {
            Host host = registrant.getKey();
            StructView entry =
                    (extended ? Reservation.EXTENDED_REGISTRANT : Reservation.REGISTRANT).view(report.asSlice(at));
            entry.set("cntlid", host.equals(features.host()) ? IdentifyData.CONTROLLER_ID : NO_CONTROLLER)
                    .set("rcsts", reservations.isHolder(host) ? Reservation.HOLDER : 0)
                    .set("rkey", registrant.getValue());
            if (extended) {
                host.copyTo(entry.slice("hostid"));
                at += Reservation.EXTENDED_REGISTRANT.byteSize();
            } else {
                entry.set("hostid", host.low());
                at += Reservation.REGISTRANT.byteSize();
            }
        }
        return pointer.toHost(command, report, 0, Math.min(bytes, MAXIMUM_REPORT_BYTES));
    }
}
