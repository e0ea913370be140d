package dev.outboard.specs.vhostuser;

/** What a back end asks of a front end. QEMU's docs/interop/vhost-user.rst, "Back-end message types". */
public enum BackendRequest {
    /** An address has no translation. */
    IOTLB_MSG(1),
    /** The configuration space has changed. */
    CONFIG_CHANGE_MSG(2),
    /** A doorbell that may be mapped. */
    VRING_HOST_NOTIFIER_MSG(3),
    /** Buffers were used. */
    VRING_CALL(4),
    /** A virtqueue is broken. */
    VRING_ERR(5);

    private final int number;

    BackendRequest(int number) {
        this.number = number;
    }

    /**
     * The request's number.
     *
     * @return what stands in a header
     */
    public int number() {
        return number;
    }
}
