package dev.outboard.specs.vhostuser;

/** What the two ends of a connection agree on besides the features of the device: {@code VHOST_USER_PROTOCOL_F_…}. */
public enum ProtocolFeature {
    /** The back end says how many virtqueues it has. */
    MQ(0),
    /** The log of written pages comes as a descriptor. */
    LOG_SHMFD(1),
    /** The back end announces the guest after a migration. */
    RARP(2),
    /** The front end may ask for a reply to any request. */
    REPLY_ACK(3),
    /** The front end says how large packets are. */
    MTU(4),
    /** The back end may send requests of its own. */
    BACKEND_REQ(5),
    /** The front end says in which byte order a legacy virtqueue is. */
    CROSS_ENDIAN(6),
    /** Sessions of crypto devices. */
    CRYPTO_SESSION(7),
    /** Migration by page faults. */
    PAGEFAULT(8),
    /** The back end holds the configuration space. */
    CONFIG(9),
    /** The back end may send descriptors. */
    BACKEND_SEND_FD(10),
    /** The back end may map doorbells into the guest. */
    HOST_NOTIFIER(11),
    /** What is in flight is kept in memory that outlives the back end. */
    INFLIGHT_SHMFD(12),
    /** The device can be reset. */
    RESET_DEVICE(13),
    /** Notifications are messages. */
    INBAND_NOTIFICATIONS(14),
    /** Memory comes and goes by the region, and there may be more than eight. */
    CONFIGURE_MEM_SLOTS(15),
    /** The back end is told the device status. */
    STATUS(16);

    private final long mask;

    ProtocolFeature(int bit) {
        mask = 1L << bit;
    }

    /**
     * The feature's bit.
     *
     * @return a number with this bit set
     */
    public long mask() {
        return mask;
    }

    /**
     * Whether a set has this feature.
     *
     * @param features the set
     * @return whether its bit is set
     */
    public boolean isIn(long features) {
        return (features & mask) != 0;
    }
}
