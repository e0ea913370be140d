package dev.outboard.nvme;

import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Maintenance;

/**
 * How far a sanitize is, or how the last one ended. NVMe base specification 2.0, 5.16.1.24.
 *
 * @param data all that it says, {@link LogPage#SANITIZE_STATUS}
 */
public record SanitizeStatus(StructView data) {
    private static final int OUTCOME_MASK = 0x7;
    private static final int WHOLE = 1 << Short.SIZE;

    /**
     * What happened last.
     *
     * @return {@link Maintenance#NEVER_SANITIZED}, {@link Maintenance#SANITIZED}, {@link Maintenance#SANITIZING} or a
     *     failure
     */
    public int outcome() {
        return data.getInt("sstat") & OUTCOME_MASK;
    }

    /**
     * Whether one is going on.
     *
     * @return true until it is done
     */
    public boolean isRunning() {
        return outcome() == Maintenance.SANITIZING;
    }

    /**
     * How far it is.
     *
     * @return 0 to 1; 1 if none is going on
     */
    public double progress() {
        return isRunning() ? (double) data.getInt("sprog") / WHOLE : 1;
    }
}
