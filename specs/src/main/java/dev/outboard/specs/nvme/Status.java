package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/**
 * The status field of a completion: 0 is success. Constants here are a status code type and a status code as they lie in
 * the field. NVMe base specification 2.0, 3.3.3.2.1.
 */
public final class Status {
    /** Status code. */
    public static final Field SC = Field.bits("SC", 7, 0);
    /** Status code type: 0 generic, 1 command specific, 2 media and data integrity, 3 path, 7 vendor. */
    public static final Field SCT = Field.bits("SCT", 10, 8);
    /** Command retry delay. */
    public static final Field CRD = Field.bits("CRD", 12, 11);
    /** There is more in the error log. */
    public static final Field MORE = Field.bit("M", 13);
    /** Do not retry. */
    public static final Field DNR = Field.bit("DNR", 14);

    /** Generic: success. */
    public static final int SUCCESS = 0x000;
    /** Generic: invalid command opcode. */
    public static final int INVALID_OPCODE = 0x001;
    /** Generic: invalid field in command. */
    public static final int INVALID_FIELD = 0x002;
    /** Generic: command identifier conflict. */
    public static final int COMMAND_ID_CONFLICT = 0x003;
    /** Generic: data transfer error. */
    public static final int DATA_TRANSFER_ERROR = 0x004;
    /** Generic: internal error. */
    public static final int INTERNAL_ERROR = 0x006;
    /** Generic: command abort requested. */
    public static final int ABORT_REQUESTED = 0x007;
    /** Generic: command aborted due to submission queue deletion. */
    public static final int ABORTED_SQ_DELETION = 0x008;
    /** Generic: invalid namespace or format. */
    public static final int INVALID_NAMESPACE = 0x00b;
    /** Generic: command sequence error. */
    public static final int SEQUENCE_ERROR = 0x00c;
    /** Generic: PRP offset invalid. */
    public static final int PRP_OFFSET_INVALID = 0x013;
    /** Generic: LBA out of range. */
    public static final int LBA_OUT_OF_RANGE = 0x080;
    /** Generic: capacity exceeded. */
    public static final int CAPACITY_EXCEEDED = 0x081;
    /** Generic: namespace not ready. */
    public static final int NAMESPACE_NOT_READY = 0x082;

    /** Command specific: completion queue invalid. */
    public static final int COMPLETION_QUEUE_INVALID = 0x100;
    /** Command specific: invalid queue identifier. */
    public static final int INVALID_QUEUE_ID = 0x101;
    /** Command specific: invalid queue size. */
    public static final int INVALID_QUEUE_SIZE = 0x102;
    /** Command specific: abort command limit exceeded. */
    public static final int ABORT_LIMIT_EXCEEDED = 0x103;
    /** Command specific: asynchronous event request limit exceeded. */
    public static final int EVENT_REQUEST_LIMIT_EXCEEDED = 0x105;
    /** Command specific: invalid interrupt vector. */
    public static final int INVALID_INTERRUPT_VECTOR = 0x108;
    /** Command specific: invalid log page. */
    public static final int INVALID_LOG_PAGE = 0x109;
    /** Command specific: invalid queue deletion. */
    public static final int INVALID_QUEUE_DELETION = 0x10c;
    /** Command specific: feature identifier not saveable. */
    public static final int FEATURE_NOT_SAVEABLE = 0x10d;

    /** Media: write fault. */
    public static final int WRITE_FAULT = 0x280;
    /** Media: unrecovered read error. */
    public static final int UNRECOVERED_READ_ERROR = 0x281;

    private static final int CODE_MASK = 0x7ff;

    private Status() {}

    /**
     * The type and the code, without the flags.
     *
     * @param status a status field
     * @return one of the constants here, if it has one
     */
    public static int code(int status) {
        return status & CODE_MASK;
    }

    /**
     * What a status means.
     *
     * @param status a status field
     * @return for example {@code "LBA out of range (status 0x80, do not retry)"}
     */
    public static String describe(int status) {
        String text = switch (code(status)) {
            case SUCCESS -> "success";
            case INVALID_OPCODE -> "invalid command opcode";
            case INVALID_FIELD -> "invalid field in command";
            case COMMAND_ID_CONFLICT -> "command identifier conflict";
            case DATA_TRANSFER_ERROR -> "data transfer error";
            case INTERNAL_ERROR -> "internal error";
            case ABORT_REQUESTED -> "command abort requested";
            case ABORTED_SQ_DELETION -> "command aborted due to submission queue deletion";
            case INVALID_NAMESPACE -> "invalid namespace or format";
            case SEQUENCE_ERROR -> "command sequence error";
            case PRP_OFFSET_INVALID -> "PRP offset invalid";
            case LBA_OUT_OF_RANGE -> "LBA out of range";
            case CAPACITY_EXCEEDED -> "capacity exceeded";
            case NAMESPACE_NOT_READY -> "namespace not ready";
            case COMPLETION_QUEUE_INVALID -> "completion queue invalid";
            case INVALID_QUEUE_ID -> "invalid queue identifier";
            case INVALID_QUEUE_SIZE -> "invalid queue size";
            case ABORT_LIMIT_EXCEEDED -> "abort command limit exceeded";
            case EVENT_REQUEST_LIMIT_EXCEEDED -> "asynchronous event request limit exceeded";
            case INVALID_INTERRUPT_VECTOR -> "invalid interrupt vector";
            case INVALID_LOG_PAGE -> "invalid log page";
            case INVALID_QUEUE_DELETION -> "invalid queue deletion";
            case FEATURE_NOT_SAVEABLE -> "feature identifier not saveable";
            case WRITE_FAULT -> "write fault";
            case UNRECOVERED_READ_ERROR -> "unrecovered read error";
            default -> "error";
        };
        return text + " (status 0x" + Integer.toHexString(code(status)) + (DNR.isSet(status) ? ", do not retry)" : ")");
    }
}
