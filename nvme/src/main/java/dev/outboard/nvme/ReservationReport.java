package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Struct;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Reservation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Who may use a namespace. NVMe base specification 2.0, 7.5.
 *
 * @param generation counts the changes
 * @param type what the reservation allows; 0 if nobody holds it
 * @param persistent whether all this outlives the power
 * @param registrants the hosts, as many as fit
 */
public record ReservationReport(long generation, int type, boolean persistent, List<Registrant> registrants) {
    /**
     * A host.
     *
     * @param controllerId the controller that it uses; 0xffff if that is not known
     * @param holder whether it holds the reservation
     * @param hostId its identifier, of 8 or 16 bytes, in hexadecimal as they lie in memory
     * @param key its key
     */
    public record Registrant(int controllerId, boolean holder, String hostId, long key) {}

    /**
     * Reads a report.
     *
     * @param report what {@link ReservationCommand#report} filled
     * @param extended as it was asked for
     * @return the report
     * @throws DeviceException if it makes no sense
     */
    public static ReservationReport of(MemorySegment report, boolean extended) throws DeviceException {
        StructView status = Reservation.STATUS.view(report);
        int type = status.getInt("rtype");
        if (type > Reservation.EXCLUSIVE_ACCESS_ALL_REGISTRANTS) {
            throw new DeviceException("a reservation report has the type " + type + ", which there is not");
        }
        Struct entry = extended ? Reservation.EXTENDED_REGISTRANT : Reservation.REGISTRANT;
        long head = extended ? Reservation.EXTENDED_STATUS_BYTES : Reservation.STATUS.byteSize();
        long fitting = Math.min(status.get("regctl"), (report.byteSize() - head) / entry.byteSize());
        List<Registrant> registrants = new ArrayList<>();
        for (long i = 0; i < fitting; i++) {
            StructView host = entry.view(report.asSlice(head + i * entry.byteSize(), entry.byteSize()));
            registrants.add(new Registrant(
                    host.getInt("cntlid"),
                    (host.get("rcsts") & Reservation.HOLDER) != 0,
                    HexFormat.of().formatHex(host.slice("hostid").toArray(ValueLayout.JAVA_BYTE)),
                    host.get("rkey")));
        }
        return new ReservationReport(status.get("gen"), type, status.get("ptpls") != 0, List.copyOf(registrants));
    }
}
