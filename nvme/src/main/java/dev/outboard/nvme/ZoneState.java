package dev.outboard.nvme;

import dev.outboard.specs.nvme.Zone;
import org.jspecify.annotations.Nullable;

/** The state of a zone. Zoned namespace command set specification 1.1, 2.1.1.2. */
public enum ZoneState {
    /** Nothing was written since the last reset. */
    EMPTY(Zone.EMPTY, 1),
    /** A write opened it. */
    IMPLICITLY_OPENED(Zone.IMPLICITLY_OPENED, 2),
    /** A command opened it. */
    EXPLICITLY_OPENED(Zone.EXPLICITLY_OPENED, 3),
    /** Written to in part, and not open. */
    CLOSED(Zone.CLOSED, 4),
    /** Takes no more until it is reset. */
    FULL(Zone.FULL, 5),
    /** Can only be read. */
    READ_ONLY(Zone.READ_ONLY, 6),
    /** Cannot be used. */
    OFFLINE(Zone.IS_OFFLINE, 7);

    private final int code;
    private final int selection;

    ZoneState(int code, int selection) {
        this.code = code;
        this.selection = selection;
    }

    static @Nullable ZoneState of(int code) {
        for (ZoneState state : values()) {
            if (state.code == code) {
                return state;
            }
        }
        return null;
    }

    /** The report's selection of zones in this state, figure 33; 0 is all. */
    int selection() {
        return selection;
    }

    boolean hasWritePointer() {
        return this != FULL && this != READ_ONLY && this != OFFLINE;
    }
}
