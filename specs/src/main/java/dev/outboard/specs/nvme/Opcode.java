package dev.outboard.specs.nvme;

/** Opcodes. NVMe base specification 2.0, figures 138 and 391; NVM command set specification 1.0, figure 16. */
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

    /** I/O: flush. */
    public static final int FLUSH = 0x00;
    /** I/O: write. */
    public static final int WRITE = 0x01;
    /** I/O: read. */
    public static final int READ = 0x02;
    /** I/O: write zeroes. */
    public static final int WRITE_ZEROES = 0x08;

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
            case WRITE_ZEROES -> "write zeroes";
            default -> "I/O command 0x" + Integer.toHexString(opcode);
        };
    }
}
