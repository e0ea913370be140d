package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.outboard.specs.nvme.Reservation;
import dev.outboard.specs.nvme.Status;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * Which hosts are registered with a namespace, and which one has reserved it. NVMe base specification 2.0, 8.19. They
 * outlive the controller's resets, under the identifier that a host gives itself.
 */
final class Reservations {
    /** How a command uses a namespace, as far as reservations go. */
    enum Use {
        NONE,
        READ,
        WRITE
    }

    /** A host's identifier, of 64 or 128 bits. */
    record Host(long low, long high) {
        /** A host that has not said who it is. */
        static final Host ANONYMOUS = new Host(0, 0);

        /** Writes the identifier, 16 bytes. */
        void copyTo(MemorySegment target) {
            target.set(JAVA_LONG_UNALIGNED, 0, low);
            target.set(JAVA_LONG_UNALIGNED, Long.BYTES, high);
        }
    }

    // A report has room for them, and a host that keeps changing its name gets no further.
    private static final int MAXIMUM_REGISTRANTS = 128;

    private final SequencedMap<Host, Long> keys = new LinkedHashMap<>();
    private @Nullable Host holder;
    private int type;
    private int generation;
    private boolean persistent;

    boolean isHeld() {
        return type != 0;
    }

    int type() {
        return type;
    }

    int generation() {
        return generation;
    }

    boolean isPersistent() {
        return persistent;
    }

    void setPersistent(boolean outlivesPower) {
        persistent = outlivesPower;
    }

    SequencedMap<Host, Long> registrants() {
        return keys;
    }

    boolean isHolder(Host host) {
        return isHeld() && (isForAll() ? keys.containsKey(host) : host.equals(holder));
    }

    private boolean isForAll() {
        return type == Reservation.WRITE_EXCLUSIVE_ALL_REGISTRANTS
                || type == Reservation.EXCLUSIVE_ACCESS_ALL_REGISTRANTS;
    }

    private boolean isForRegistrants() {
        return type >= Reservation.WRITE_EXCLUSIVE_REGISTRANTS;
    }

    /** Whether a host must not use the namespace in a way. Figure 493. */
    boolean conflicts(Host host, Use use) {
        if (!isHeld() || use == Use.NONE || isHolder(host) || (isForRegistrants() && keys.containsKey(host))) {
            return false;
        }
        // Of both kinds, the even types are those for exclusive access.
        return use == Use.WRITE || (type & 1) == 0;
    }

    int register(Host host, int action, boolean ignoreKey, long currentKey, long newKey) {
        Long key = keys.get(host);
        boolean matches = ignoreKey || (key != null && key == currentKey);
        if (key == null && keys.size() == MAXIMUM_REGISTRANTS) {
            return Status.RESERVATION_CONFLICT;
        }
        switch (action) {
            case Reservation.REGISTER -> {
                if (key != null && key != newKey) {
                    return Status.RESERVATION_CONFLICT;
                }
                keys.put(host, newKey);
            }
            case Reservation.UNREGISTER -> {
                if (key == null || !matches) {
                    return Status.RESERVATION_CONFLICT;
                }
                remove(host);
            }
            case Reservation.REPLACE -> {
                // With IEKEY a host that is not registered becomes it. Figure 380.
                if (!matches) {
                    return Status.RESERVATION_CONFLICT;
                }
                keys.put(host, newKey);
            }
            default -> {
                return Status.INVALID_FIELD;
            }
        }
        generation++;
        return Status.SUCCESS;
    }

    int acquire(Host host, int action, boolean ignoreKey, long currentKey, long preemptedKey, int newType) {
        if (newType < Reservation.WRITE_EXCLUSIVE || newType > Reservation.EXCLUSIVE_ACCESS_ALL_REGISTRANTS) {
            return Status.INVALID_FIELD;
        }
        if (!isRegistered(host, ignoreKey, currentKey)) {
            return Status.RESERVATION_CONFLICT;
        }
        return switch (action) {
            case Reservation.ACQUIRE -> acquire(host, newType);
            // Commands are done as soon as they are seen: there is none of another host to abort.
            case Reservation.PREEMPT, Reservation.PREEMPT_AND_ABORT -> preempt(host, preemptedKey, newType);
            default -> Status.INVALID_FIELD;
        };
    }

    private int acquire(Host host, int newType) {
        if (isHeld() && !(isHolder(host) && type == newType)) {
            return Status.RESERVATION_CONFLICT;
        }
        hold(host, newType);
        return Status.SUCCESS;
    }

    private int preempt(Host host, long preemptedKey, int newType) {
        if (preemptedKey == 0) {
            // All registrants, which is meaningful only if they all hold it. 8.19.7.
            if (!isHeld() || !isForAll()) {
                return Status.INVALID_FIELD;
            }
            keys.keySet().removeIf(other -> !other.equals(host));
            hold(host, newType);
        } else {
            boolean takesOver = isHeld() && !isForAll() && holder != null && preemptedKey == keyOf(holder);
            if (!keys.containsValue(preemptedKey)) {
                return Status.RESERVATION_CONFLICT;
            }
            keys.entrySet()
                    .removeIf(entry ->
                            entry.getValue() == preemptedKey && !entry.getKey().equals(host));
            if (takesOver) {
                hold(host, newType);
            }
        }
        generation++;
        return Status.SUCCESS;
    }

    int release(Host host, int action, boolean ignoreKey, long currentKey, int heldType) {
        if (!isRegistered(host, ignoreKey, currentKey)) {
            return Status.RESERVATION_CONFLICT;
        }
        switch (action) {
            case Reservation.RELEASE -> {
                if (isHolder(host)) {
                    if (heldType != type) {
                        return Status.INVALID_FIELD;
                    }
                    free();
                }
            }
            case Reservation.CLEAR -> {
                keys.clear();
                free();
                generation++;
            }
            default -> {
                return Status.INVALID_FIELD;
            }
        }
        return Status.SUCCESS;
    }

    private boolean isRegistered(Host host, boolean ignoreKey, long currentKey) {
        Long key = keys.get(host);
        return key != null && (ignoreKey || key == currentKey);
    }

    private long keyOf(Host host) {
        return keys.getOrDefault(host, 0L);
    }

    private void hold(Host host, int newType) {
        holder = host;
        type = newType;
    }

    private void free() {
        holder = null;
        type = 0;
    }

    /** A host is no longer registered, which ends what it holds alone. */
    void remove(Host host) {
        boolean last = isForAll() ? keys.size() == 1 && keys.containsKey(host) : host.equals(holder);
        keys.remove(host);
        if (last) {
            free();
        }
    }
}
