package dev.outboard.specs.vhostuser;

import org.jspecify.annotations.Nullable;

/** What a front end asks of a back end. QEMU's docs/interop/vhost-user.rst, "Front-end message types". */
public enum Request {
    /** The device's features, as a number. */
    GET_FEATURES(1, Reply.OWN),
    /** The features that are used. */
    SET_FEATURES(2, Reply.ON_REQUEST),
    /** The session begins. */
    SET_OWNER(3, Reply.ON_REQUEST),
    /** Deprecated: disables all virtqueues, or nothing. */
    RESET_OWNER(4, Reply.ON_REQUEST),
    /** The memory that the device may reach, with a descriptor for each region. */
    SET_MEM_TABLE(5, Reply.ON_REQUEST),
    /** Where written pages are logged. */
    SET_LOG_BASE(6, Reply.OWN),
    /** An event for changes of the log. */
    SET_LOG_FD(7, Reply.ON_REQUEST),
    /** The size of a virtqueue. */
    SET_VRING_NUM(8, Reply.ON_REQUEST),
    /** Where the parts of a virtqueue are. */
    SET_VRING_ADDR(9, Reply.ON_REQUEST),
    /** Where the device goes on in a virtqueue. */
    SET_VRING_BASE(10, Reply.ON_REQUEST),
    /** Stops a virtqueue, and asks where the device is in it. */
    GET_VRING_BASE(11, Reply.OWN),
    /** The event by which a driver tells of buffers. */
    SET_VRING_KICK(12, Reply.ON_REQUEST),
    /** The event by which the device tells of used buffers. */
    SET_VRING_CALL(13, Reply.ON_REQUEST),
    /** The event by which the device tells that a virtqueue is broken. */
    SET_VRING_ERR(14, Reply.ON_REQUEST),
    /** The protocol's features, as a number. */
    GET_PROTOCOL_FEATURES(15, Reply.OWN),
    /** The protocol's features that are used. */
    SET_PROTOCOL_FEATURES(16, Reply.ON_REQUEST),
    /** How many virtqueues there are at most, as a number. */
    GET_QUEUE_NUM(17, Reply.OWN),
    /** Enables or disables a virtqueue. */
    SET_VRING_ENABLE(18, Reply.ON_REQUEST),
    /** Announces the guest. */
    SEND_RARP(19, Reply.ON_REQUEST),
    /** How large packets are. */
    NET_SET_MTU(20, Reply.ON_REQUEST),
    /** The descriptor that the back end's own requests are written to. */
    SET_BACKEND_REQ_FD(21, Reply.ON_REQUEST),
    /** A translation of device addresses. */
    IOTLB_MSG(22, Reply.OWN),
    /** The byte order of a legacy virtqueue. */
    SET_VRING_ENDIAN(23, Reply.ON_REQUEST),
    /** Reads the configuration space. */
    GET_CONFIG(24, Reply.OWN),
    /** Writes the configuration space. */
    SET_CONFIG(25, Reply.ON_REQUEST),
    /** Opens a session of a crypto device. */
    CREATE_CRYPTO_SESSION(26, Reply.OWN),
    /** Closes a session of a crypto device. */
    CLOSE_CRYPTO_SESSION(27, Reply.ON_REQUEST),
    /** A migration by page faults is coming. */
    POSTCOPY_ADVISE(28, Reply.OWN),
    /** A migration by page faults begins. */
    POSTCOPY_LISTEN(29, Reply.ON_REQUEST),
    /** A migration by page faults is over. */
    POSTCOPY_END(30, Reply.OWN),
    /** Asks for memory that tells what is in flight. */
    GET_INFLIGHT_FD(31, Reply.OWN),
    /** Gives memory that tells what is in flight. */
    SET_INFLIGHT_FD(32, Reply.ON_REQUEST),
    /** The socket of the protocol for displays. */
    GPU_SET_SOCKET(33, Reply.ON_REQUEST),
    /** Resets the device. */
    RESET_DEVICE(34, Reply.ON_REQUEST),
    /** Tells of buffers by a message. */
    VRING_KICK(35, Reply.ON_REQUEST),
    /** How many regions of memory there may be, as a number. */
    GET_MAX_MEM_SLOTS(36, Reply.OWN),
    /** Memory that the device may reach, too. */
    ADD_MEM_REG(37, Reply.ON_REQUEST),
    /** Memory that the device may no longer reach. */
    REM_MEM_REG(38, Reply.ON_REQUEST),
    /** The device status. */
    SET_STATUS(39, Reply.ON_REQUEST),
    /** The device status, as a number. */
    GET_STATUS(40, Reply.OWN);

    /** Whether a request is answered. */
    public enum Reply {
        /** Always, by a message of its own. */
        OWN,
        /** By a number, if {@link ProtocolFeature#REPLY_ACK} is used and the request asks for it. */
        ON_REQUEST
    }

    private static final @Nullable Request[] BY_NUMBER = new Request[GET_STATUS.number + 1];

    static {
        for (Request request : values()) {
            BY_NUMBER[request.number] = request;
        }
    }

    private final int number;
    private final Reply reply;

    Request(int number, Reply reply) {
        this.number = number;
        this.reply = reply;
    }

    /**
     * The request that a number stands for.
     *
     * @param number the number in a header
     * @return the request; null if there is none
     */
    public static @Nullable Request of(int number) {
        return number > 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
    }

    /**
     * The request's number.
     *
     * @return what stands in a header
     */
    public int number() {
        return number;
    }

    /**
     * Whether it is answered.
     *
     * @return when
     */
    public Reply reply() {
        return reply;
    }
}
