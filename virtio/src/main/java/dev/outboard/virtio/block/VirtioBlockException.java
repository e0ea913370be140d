package dev.outboard.virtio.block;

import dev.outboard.driver.DeviceException;
import dev.outboard.specs.virtio.VirtioBlk;

/** A request that the device did not carry out. */
public final class VirtioBlockException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private final int status;

    VirtioBlockException(String request, int status) {
        super(request
                + switch (status) {
                    case VirtioBlk.STATUS_IOERR ->
                        " failed: the device reports an I/O error; see what it says of itself";
                    case VirtioBlk.STATUS_UNSUPP -> " failed: the device does not support it";
                    default -> " ended with status " + status + ", which the specification does not know";
                });
        this.status = status;
    }

    /**
     * What the device said.
     *
     * @return the request's status, see {@link VirtioBlk}
     */
    public int status() {
        return status;
    }
}
