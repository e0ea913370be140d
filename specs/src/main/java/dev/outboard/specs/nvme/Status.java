package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/**
 * The status field of a completion: 0 is success. Constants here are a status code type and a status code as they lie in
 * the field. NVMe base specification 2.0, 3.3.3.2.1; NVM command set specification 1.0, 2.3.2; zoned namespace command set
 * specification 1.1, 2.3.2.
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
    /** Generic: command aborted due to failed fused command. */
    public static final int FAILED_FUSED = 0x009;
    /** Generic: command aborted due to missing fused command. */
    public static final int MISSING_FUSED = 0x00a;
    /** Generic: invalid namespace or format. */
    public static final int INVALID_NAMESPACE = 0x00b;
    /** Generic: command sequence error. */
    public static final int SEQUENCE_ERROR = 0x00c;
    /** Generic: invalid SGL segment descriptor. */
    public static final int INVALID_SGL_SEGMENT = 0x00d;
    /** Generic: invalid number of SGL descriptors. */
    public static final int INVALID_SGL_COUNT = 0x00e;
    /** Generic: data SGL length invalid. */
    public static final int DATA_SGL_LENGTH_INVALID = 0x00f;
    /** Generic: metadata SGL length invalid. */
    public static final int METADATA_SGL_LENGTH_INVALID = 0x010;
    /** Generic: SGL descriptor type invalid. */
    public static final int SGL_TYPE_INVALID = 0x011;
    /** Generic: invalid use of controller memory buffer. */
    public static final int INVALID_USE_OF_CMB = 0x012;
    /** Generic: PRP offset invalid. */
    public static final int PRP_OFFSET_INVALID = 0x013;
    /** Generic: atomic write unit exceeded. */
    public static final int ATOMIC_WRITE_UNIT_EXCEEDED = 0x014;
    /** Generic: operation denied. */
    public static final int OPERATION_DENIED = 0x015;
    /** Generic: host identifier inconsistent format. */
    public static final int HOST_ID_INCONSISTENT = 0x018;
    /** Generic: keep alive timeout invalid. */
    public static final int KEEP_ALIVE_TIMEOUT_INVALID = 0x01a;
    /** Generic: command aborted due to preempt and abort. */
    public static final int PREEMPTED_AND_ABORTED = 0x01b;
    /** Generic: sanitize failed. */
    public static final int SANITIZE_FAILED = 0x01c;
    /** Generic: sanitize in progress. */
    public static final int SANITIZE_IN_PROGRESS = 0x01d;
    /** Generic: command not supported for queue in controller memory buffer. */
    public static final int NOT_SUPPORTED_IN_CMB = 0x01f;
    /** Generic: namespace is write protected. */
    public static final int WRITE_PROTECTED = 0x020;
    /** Generic: command interrupted. */
    public static final int COMMAND_INTERRUPTED = 0x021;
    /** Generic: LBA out of range. */
    public static final int LBA_OUT_OF_RANGE = 0x080;
    /** Generic: capacity exceeded. */
    public static final int CAPACITY_EXCEEDED = 0x081;
    /** Generic: namespace not ready. */
    public static final int NAMESPACE_NOT_READY = 0x082;
    /** Generic: reservation conflict. */
    public static final int RESERVATION_CONFLICT = 0x083;
    /** Generic: format in progress. */
    public static final int FORMAT_IN_PROGRESS = 0x084;

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
    /** Command specific: invalid firmware slot. */
    public static final int INVALID_FIRMWARE_SLOT = 0x106;
    /** Command specific: invalid firmware image. */
    public static final int INVALID_FIRMWARE_IMAGE = 0x107;
    /** Command specific: invalid interrupt vector. */
    public static final int INVALID_INTERRUPT_VECTOR = 0x108;
    /** Command specific: invalid log page. */
    public static final int INVALID_LOG_PAGE = 0x109;
    /** Command specific: invalid format. */
    public static final int INVALID_FORMAT = 0x10a;
    /** Command specific: firmware activation requires a conventional reset. */
    public static final int FIRMWARE_NEEDS_CONVENTIONAL_RESET = 0x10b;
    /** Command specific: invalid queue deletion. */
    public static final int INVALID_QUEUE_DELETION = 0x10c;
    /** Command specific: feature identifier not saveable. */
    public static final int FEATURE_NOT_SAVEABLE = 0x10d;
    /** Command specific: feature not changeable. */
    public static final int FEATURE_NOT_CHANGEABLE = 0x10e;
    /** Command specific: feature not namespace specific. */
    public static final int FEATURE_NOT_NAMESPACE_SPECIFIC = 0x10f;
    /** Command specific: firmware activation requires an NVM subsystem reset. */
    public static final int FIRMWARE_NEEDS_SUBSYSTEM_RESET = 0x110;
    /** Command specific: firmware activation requires a controller level reset. */
    public static final int FIRMWARE_NEEDS_CONTROLLER_RESET = 0x111;
    /** Command specific: firmware activation prohibited. */
    public static final int FIRMWARE_PROHIBITED = 0x113;
    /** Command specific: overlapping range. */
    public static final int OVERLAPPING_RANGE = 0x114;
    /** Command specific: namespace insufficient capacity. */
    public static final int INSUFFICIENT_CAPACITY = 0x115;
    /** Command specific: namespace identifier unavailable. */
    public static final int NAMESPACE_ID_UNAVAILABLE = 0x116;
    /** Command specific: namespace already attached. */
    public static final int ALREADY_ATTACHED = 0x118;
    /** Command specific: namespace is private. */
    public static final int NAMESPACE_IS_PRIVATE = 0x119;
    /** Command specific: namespace not attached. */
    public static final int NOT_ATTACHED = 0x11a;
    /** Command specific: thin provisioning not supported. */
    public static final int THIN_PROVISIONING_UNSUPPORTED = 0x11b;
    /** Command specific: controller list invalid. */
    public static final int CONTROLLER_LIST_INVALID = 0x11c;
    /** Command specific: device self-test in progress. */
    public static final int SELF_TEST_IN_PROGRESS = 0x11d;
    /** Command specific: invalid controller identifier. */
    public static final int INVALID_CONTROLLER_ID = 0x11f;
    /** Command specific: I/O command set not supported. */
    public static final int COMMAND_SET_NOT_SUPPORTED = 0x129;
    /** Command specific: I/O command set not enabled. */
    public static final int COMMAND_SET_NOT_ENABLED = 0x12a;
    /** Command specific: I/O command set combination rejected. */
    public static final int COMMAND_SET_COMBINATION_REJECTED = 0x12b;
    /** Command specific: invalid I/O command set. */
    public static final int INVALID_COMMAND_SET = 0x12c;
    /** Command specific: conflicting attributes. */
    public static final int CONFLICTING_ATTRIBUTES = 0x180;
    /** Command specific: invalid protection information. */
    public static final int INVALID_PROTECTION_INFORMATION = 0x181;
    /** Command specific: attempted write to read only range. */
    public static final int WRITE_TO_READ_ONLY_RANGE = 0x182;
    /** Command specific: command size limit exceeded. */
    public static final int COMMAND_SIZE_LIMIT_EXCEEDED = 0x183;
    /** Command specific: zoned boundary error. */
    public static final int ZONE_BOUNDARY_ERROR = 0x1b8;
    /** Command specific: zone is full. */
    public static final int ZONE_IS_FULL = 0x1b9;
    /** Command specific: zone is read only. */
    public static final int ZONE_IS_READ_ONLY = 0x1ba;
    /** Command specific: zone is offline. */
    public static final int ZONE_IS_OFFLINE = 0x1bb;
    /** Command specific: zone invalid write. */
    public static final int ZONE_INVALID_WRITE = 0x1bc;
    /** Command specific: too many active zones. */
    public static final int TOO_MANY_ACTIVE_ZONES = 0x1bd;
    /** Command specific: too many open zones. */
    public static final int TOO_MANY_OPEN_ZONES = 0x1be;
    /** Command specific: invalid zone state transition. */
    public static final int INVALID_ZONE_STATE_TRANSITION = 0x1bf;

    /** Media: write fault. */
    public static final int WRITE_FAULT = 0x280;
    /** Media: unrecovered read error. */
    public static final int UNRECOVERED_READ_ERROR = 0x281;
    /** Media: end-to-end guard check error. */
    public static final int GUARD_CHECK_ERROR = 0x282;
    /** Media: end-to-end application tag check error. */
    public static final int APPLICATION_TAG_CHECK_ERROR = 0x283;
    /** Media: end-to-end reference tag check error. */
    public static final int REFERENCE_TAG_CHECK_ERROR = 0x284;
    /** Media: compare failure. */
    public static final int COMPARE_FAILURE = 0x285;
    /** Media: access denied. */
    public static final int ACCESS_DENIED = 0x286;
    /** Media: deallocated or unwritten logical block. */
    public static final int DEALLOCATED_BLOCK = 0x287;
    /** Media: end-to-end storage tag check error. */
    public static final int STORAGE_TAG_CHECK_ERROR = 0x288;
    /** Path: command aborted by host. */
    public static final int ABORTED_BY_HOST = 0x371;

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
            case FAILED_FUSED -> "command aborted due to failed fused command";
            case MISSING_FUSED -> "command aborted due to missing fused command";
            case INVALID_NAMESPACE -> "invalid namespace or format";
            case SEQUENCE_ERROR -> "command sequence error";
            case INVALID_SGL_SEGMENT -> "invalid SGL segment descriptor";
            case INVALID_SGL_COUNT -> "invalid number of SGL descriptors";
            case DATA_SGL_LENGTH_INVALID -> "data SGL length invalid";
            case METADATA_SGL_LENGTH_INVALID -> "metadata SGL length invalid";
            case SGL_TYPE_INVALID -> "SGL descriptor type invalid";
            case INVALID_USE_OF_CMB -> "invalid use of controller memory buffer";
            case PRP_OFFSET_INVALID -> "PRP offset invalid";
            case ATOMIC_WRITE_UNIT_EXCEEDED -> "atomic write unit exceeded";
            case OPERATION_DENIED -> "operation denied";
            case HOST_ID_INCONSISTENT -> "host identifier inconsistent format";
            case KEEP_ALIVE_TIMEOUT_INVALID -> "keep alive timeout invalid";
            case PREEMPTED_AND_ABORTED -> "command aborted due to preempt and abort";
            case SANITIZE_FAILED -> "sanitize failed";
            case SANITIZE_IN_PROGRESS -> "sanitize in progress";
            case NOT_SUPPORTED_IN_CMB -> "command not supported for queue in controller memory buffer";
            case WRITE_PROTECTED -> "namespace is write protected";
            case COMMAND_INTERRUPTED -> "command interrupted";
            case LBA_OUT_OF_RANGE -> "LBA out of range";
            case CAPACITY_EXCEEDED -> "capacity exceeded";
            case NAMESPACE_NOT_READY -> "namespace not ready";
            case RESERVATION_CONFLICT -> "reservation conflict";
            case FORMAT_IN_PROGRESS -> "format in progress";
            case COMPLETION_QUEUE_INVALID -> "completion queue invalid";
            case INVALID_QUEUE_ID -> "invalid queue identifier";
            case INVALID_QUEUE_SIZE -> "invalid queue size";
            case ABORT_LIMIT_EXCEEDED -> "abort command limit exceeded";
            case EVENT_REQUEST_LIMIT_EXCEEDED -> "asynchronous event request limit exceeded";
            case INVALID_FIRMWARE_SLOT -> "invalid firmware slot";
            case INVALID_FIRMWARE_IMAGE -> "invalid firmware image";
            case INVALID_INTERRUPT_VECTOR -> "invalid interrupt vector";
            case INVALID_LOG_PAGE -> "invalid log page";
            case INVALID_FORMAT -> "invalid format";
            case FIRMWARE_NEEDS_CONVENTIONAL_RESET -> "firmware activation requires a conventional reset";
            case INVALID_QUEUE_DELETION -> "invalid queue deletion";
            case FEATURE_NOT_SAVEABLE -> "feature identifier not saveable";
            case FEATURE_NOT_CHANGEABLE -> "feature not changeable";
            case FEATURE_NOT_NAMESPACE_SPECIFIC -> "feature not namespace specific";
            case FIRMWARE_NEEDS_SUBSYSTEM_RESET -> "firmware activation requires an NVM subsystem reset";
            case FIRMWARE_NEEDS_CONTROLLER_RESET -> "firmware activation requires a controller level reset";
            case FIRMWARE_PROHIBITED -> "firmware activation prohibited";
            case OVERLAPPING_RANGE -> "overlapping range";
            case INSUFFICIENT_CAPACITY -> "namespace insufficient capacity";
            case NAMESPACE_ID_UNAVAILABLE -> "namespace identifier unavailable";
            case ALREADY_ATTACHED -> "namespace already attached";
            case NAMESPACE_IS_PRIVATE -> "namespace is private";
            case NOT_ATTACHED -> "namespace not attached";
            case THIN_PROVISIONING_UNSUPPORTED -> "thin provisioning not supported";
            case CONTROLLER_LIST_INVALID -> "controller list invalid";
            case SELF_TEST_IN_PROGRESS -> "device self-test in progress";
            case INVALID_CONTROLLER_ID -> "invalid controller identifier";
            case COMMAND_SET_NOT_SUPPORTED -> "I/O command set not supported";
            case COMMAND_SET_NOT_ENABLED -> "I/O command set not enabled";
            case COMMAND_SET_COMBINATION_REJECTED -> "I/O command set combination rejected";
            case INVALID_COMMAND_SET -> "invalid I/O command set";
            case CONFLICTING_ATTRIBUTES -> "conflicting attributes";
            case INVALID_PROTECTION_INFORMATION -> "invalid protection information";
            case WRITE_TO_READ_ONLY_RANGE -> "attempted write to read only range";
            case COMMAND_SIZE_LIMIT_EXCEEDED -> "command size limit exceeded";
            case ZONE_BOUNDARY_ERROR -> "zoned boundary error";
            case ZONE_IS_FULL -> "zone is full";
            case ZONE_IS_READ_ONLY -> "zone is read only";
            case ZONE_IS_OFFLINE -> "zone is offline";
            case ZONE_INVALID_WRITE -> "zone invalid write";
            case TOO_MANY_ACTIVE_ZONES -> "too many active zones";
            case TOO_MANY_OPEN_ZONES -> "too many open zones";
            case INVALID_ZONE_STATE_TRANSITION -> "invalid zone state transition";
            case WRITE_FAULT -> "write fault";
            case UNRECOVERED_READ_ERROR -> "unrecovered read error";
            case GUARD_CHECK_ERROR -> "end-to-end guard check error";
            case APPLICATION_TAG_CHECK_ERROR -> "end-to-end application tag check error";
            case REFERENCE_TAG_CHECK_ERROR -> "end-to-end reference tag check error";
            case STORAGE_TAG_CHECK_ERROR -> "end-to-end storage tag check error";
            case COMPARE_FAILURE -> "compare failure";
            case ACCESS_DENIED -> "access denied";
            case DEALLOCATED_BLOCK -> "deallocated or unwritten logical block";
            case ABORTED_BY_HOST -> "command aborted by host";
            default -> "error";
        };
        return text + " (status 0x" + Integer.toHexString(code(status)) + (DNR.isSet(status) ? ", do not retry)" : ")");
    }
}
