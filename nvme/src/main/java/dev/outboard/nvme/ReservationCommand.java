package dev.outboard.nvme;

import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Reservation;

/**
 * The commands on reservations, by which hosts that share a namespace say who may use it. Actions and types are constants
 * of {@link Reservation}. NVMe base specification 2.0, 7.2 to 7.5 and 8.19.
 */
public final class ReservationCommand {
    private ReservationCommand() {}

    /**
     * Registers this host, no longer, or with another key.
     *
     * @param namespace where
     * @param action {@link Reservation#REGISTER}, {@link Reservation#UNREGISTER} or {@link Reservation#REPLACE}
     * @param currentKey the host's key; 0 if it has none
     * @param newKey its key from now on
     * @return the command
     */
    public static NvmeCommand register(NvmeNamespace namespace, int action, long currentKey, long newKey) {
        return NvmeCommand.of(Opcode.RESERVATION_REGISTER)
                .namespace(namespace.id())
                .dword(10, (int) Reservation.ACTION.of(action))
                .payload(currentKey, newKey);
    }

    /**
     * Takes the reservation, if need be from another host.
     *
     * @param namespace where
     * @param action {@link Reservation#ACQUIRE}, {@link Reservation#PREEMPT} or {@link Reservation#PREEMPT_AND_ABORT}
     * @param type what it allows, for example {@link Reservation#WRITE_EXCLUSIVE}
     * @param key this host's key
     * @param otherKey the key of the host that it is taken from; 0 if from none
     * @return the command
     */
    public static NvmeCommand acquire(NvmeNamespace namespace, int action, int type, long key, long otherKey) {
        return NvmeCommand.of(Opcode.RESERVATION_ACQUIRE)
                .namespace(namespace.id())
                .dword(10, (int) (Reservation.ACTION.of(action) | Reservation.TYPE.of(type)))
                .payload(key, otherKey);
    }

    /**
     * Gives the reservation back, or ends all.
     *
     * @param namespace where
     * @param action {@link Reservation#RELEASE} or {@link Reservation#CLEAR}
     * @param type what it allows
     * @param key this host's key
     * @return the command
     */
    public static NvmeCommand release(NvmeNamespace namespace, int action, int type, long key) {
        return NvmeCommand.of(Opcode.RESERVATION_RELEASE)
                .namespace(namespace.id())
                .dword(10, (int) (Reservation.ACTION.of(action) | Reservation.TYPE.of(type)))
                .payload(key);
    }

    /**
     * Asks who is registered, and who holds the reservation: {@link ReservationReport#of} reads the answer.
     *
     * @param namespace where
     * @param extended whether hosts have identifiers of 128 bits
     * @param report where to; at least 4 KiB is room for dozens of hosts
     * @return the command
     */
    public static NvmeCommand report(NvmeNamespace namespace, boolean extended, DmaMemory report) {
        return NvmeCommand.of(Opcode.RESERVATION_REPORT)
                .namespace(namespace.id())
                .dword(10, (int) (report.sizeBytes() / Integer.BYTES - 1))
                .dword(11, (int) Reservation.EXTENDED.of(extended ? 1 : 0))
                .data(report);
    }
}
