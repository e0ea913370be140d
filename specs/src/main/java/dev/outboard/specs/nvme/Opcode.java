package dev.outboard.specs.nvme;

/**
 * Opcodes. NVMe base specification 2.0, figures 138 and 391; NVM command set specification 1.0, figure 16;
 * zoned namespace command set specification 1.1, figure 22.
 */
public final class Opcode {
    /** Admin: delete I/O submission queue. */
    public static final int DELETE_IO_SUBMISSION_QUEUE = 0x00;
    /** Admin: create I/O submission queue. */
    public static final int CREATE_IO_SUBMISSION_QUEUE = 0x01;
    /** Admin: get log page. */
    public static final int GET_LOG_PAGE = 0x02;
    /** Admin: delete I/O completion queue. */
    public static final int DELETE_IO_COMPLETION_QUEUE = 0x04;
    /** Admin: create I/O completion queue. */
    public static final int CREATE_IO_COMPLETION_QUEUE = 0x05;
    /** Admin: identify. */
    public static final int IDENTIFY = 0x06;
    /** Admin: abort. */
    public static final int ABORT = 0x08;
    /** Admin: set features. */
    public static final int SET_FEATURES = 0x09;
    /** Admin: get features. */
    public static final int GET_FEATURES = 0x0a;
    /** Admin: asynchronous event request. */
    public static final int ASYNCHRONOUS_EVENT_REQUEST = 0x0c;
    /** Admin: namespace management. */
    public static final int NAMESPACE_MANAGEMENT = 0x0d;
    /** Admin: firmware commit. */
    public static final int FIRMWARE_COMMIT = 0x10;
    /** Admin: firmware image download. */
    public static final int FIRMWARE_DOWNLOAD = 0x11;
    /** Admin: device self-test. */
    public static final int DEVICE_SELF_TEST = 0x14;
    /** Admin: namespace attachment. */
    public static final int NAMESPACE_ATTACHMENT = 0x15;
    /** Admin: keep alive. */
    public static final int KEEP_ALIVE = 0x18;
    /** Admin: directive send. */
    public static final int DIRECTIVE_SEND = 0x19;
    /** Admin: directive receive. */
    public static final int DIRECTIVE_RECEIVE = 0x1a;
    /** Admin: virtualization management. */
    public static final int VIRTUALIZATION_MANAGEMENT = 0x1c;
    /** Admin: doorbell buffer config. */
    public static final int DOORBELL_BUFFER_CONFIG = 0x7c;
    /** Admin: format NVM. */
    public static final int FORMAT_NVM = 0x80;
    /** Admin: security send. */
    public static final int SECURITY_SEND = 0x81;
    /** Admin: security receive. */
    public static final int SECURITY_RECEIVE = 0x82;
    /** Admin: sanitize. */
    public static final int SANITIZE = 0x84;

    /** I/O: flush. */
    public static final int FLUSH = 0x00;
    /** I/O: write. */
    public static final int WRITE = 0x01;
    /** I/O: read. */
    public static final int READ = 0x02;
    /** I/O: write uncorrectable. */
    public static final int WRITE_UNCORRECTABLE = 0x04;
    /** I/O: compare. */
    public static final int COMPARE = 0x05;
    /** I/O: write zeroes. */
    public static final int WRITE_ZEROES = 0x08;
    /** I/O: dataset management. */
    public static final int DATASET_MANAGEMENT = 0x09;
    /** I/O: verify. */
    public static final int VERIFY = 0x0c;
    /** I/O: reservation register. */
    public static final int RESERVATION_REGISTER = 0x0d;
    /** I/O: reservation report. */
    public static final int RESERVATION_REPORT = 0x0e;
    /** I/O: reservation acquire. */
    public static final int RESERVATION_ACQUIRE = 0x11;
    /** I/O: reservation release. */
    public static final int RESERVATION_RELEASE = 0x15;
    /** I/O: copy. */
    public static final int COPY = 0x19;
    /** I/O: zone management send. */
    public static final int ZONE_MANAGEMENT_SEND = 0x79;
    /** I/O: zone management receive. */
    public static final int ZONE_MANAGEMENT_RECEIVE = 0x7a;
    /** I/O: zone append. */
    public static final int ZONE_APPEND = 0x7d;

    private Opcode() {}

    /**
     * An admin command's name.
     *
     * @param opcode its opcode
     * @return for example {@code "identify"}
     */
    public static String adminName(int opcode) {
        return switch (opcode) {
            case DELETE_IO_SUBMISSION_QUEUE -> "delete I/O submission queue";
            case CREATE_IO_SUBMISSION_QUEUE -> "create I/O submission queue";
            case GET_LOG_PAGE -> "get log page";
            case DELETE_IO_COMPLETION_QUEUE -> "delete I/O completion queue";
            case CREATE_IO_COMPLETION_QUEUE -> "create I/O completion queue";
            case IDENTIFY -> "identify";
            case ABORT -> "abort";
            case SET_FEATURES -> "set features";
            case GET_FEATURES -> "get features";
            case ASYNCHRONOUS_EVENT_REQUEST -> "asynchronous event request";
            case NAMESPACE_MANAGEMENT -> "namespace management";
            case FIRMWARE_COMMIT -> "firmware commit";
            case FIRMWARE_DOWNLOAD -> "firmware image download";
            case DEVICE_SELF_TEST -> "device self-test";
            case NAMESPACE_ATTACHMENT -> "namespace attachment";
            case KEEP_ALIVE -> "keep alive";
            case DIRECTIVE_SEND -> "directive send";
            case DIRECTIVE_RECEIVE -> "directive receive";
            case VIRTUALIZATION_MANAGEMENT -> "virtualization management";
            case DOORBELL_BUFFER_CONFIG -> "doorbell buffer config";
            case FORMAT_NVM -> "format NVM";
            case SECURITY_SEND -> "security send";
            case SECURITY_RECEIVE -> "security receive";
            case SANITIZE -> "sanitize";
            default -> "admin command 0x" + Integer.toHexString(opcode);
        };
    }

    /**
     * An I/O command's name.
     *
     * @param opcode its opcode
     * @return for example {@code "read"}
     */
    public static String ioName(int opcode) {
        return switch (opcode) {
            case FLUSH -> "flush";
            case WRITE -> "write";
            case READ -> "read";
            case WRITE_UNCORRECTABLE -> "write uncorrectable";
            case COMPARE -> "compare";
            case WRITE_ZEROES -> "write zeroes";
            case DATASET_MANAGEMENT -> "dataset management";
            case VERIFY -> "verify";
            case RESERVATION_REGISTER -> "reservation register";
            case RESERVATION_REPORT -> "reservation report";
            case RESERVATION_ACQUIRE -> "reservation acquire";
            case RESERVATION_RELEASE -> "reservation release";
            case COPY -> "copy";
            case ZONE_MANAGEMENT_SEND -> "zone management send";
            case ZONE_MANAGEMENT_RECEIVE -> "zone management receive";
            case ZONE_APPEND -> "zone append";
            default -> "I/O command 0x" + Integer.toHexString(opcode);
        };
    }
}
