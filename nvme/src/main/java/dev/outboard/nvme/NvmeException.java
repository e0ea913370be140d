package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.specs.nvme.Status;

/** A command that an NVMe controller completed with an error. */
public final class NvmeException extends DeviceException {
    private static final long serialVersionUID = 1L;

    /** The status field of the completion. */
    private final int status;

    /**
     * An error status.
     *
     * @param what which command of which device
     * @param status the status field of its completion
     */
    public NvmeException(String what, int status) {
        super(what + ": " + Status.describe(status));
        this.status = status;
    }

    /**
     * What the controller said.
     *
     * @return the status field of the completion, see {@link Status}
     */
    public int status() {
        return status;
    }
}
