package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/** Where the words of a submission queue entry are, in bytes. NVMe base specification 2.0, 3.3.3.1. */
public final class SubmissionEntry {
    /** The size of an entry. */
    public static final int SIZE_BYTES = 64;
    /** The size of an entry, as a power of two: CC.IOSQES. */
    public static final int SIZE_SHIFT = 6;

    /** Command dword 0: {@link #OPCODE}, {@link #FUSE}, {@link #PSDT}, {@link #COMMAND_ID}. */
    public static final long CDW0 = 0;
    /** Namespace identifier. */
    public static final long NSID = 4;
    /** Command dword 2. */
    public static final long CDW2 = 8;
    /** Command dword 3. */
    public static final long CDW3 = 12;
    /** Metadata pointer, 64 bits. */
    public static final long MPTR = 16;
    /** Data pointer: PRP entry 1, 64 bits, or the first half of an SGL segment. */
    public static final long PRP1 = 24;
    /** Data pointer: PRP entry 2, 64 bits, or the second half of an SGL segment. */
    public static final long PRP2 = 32;
    /** Command dword 10. For reads and writes dwords 10 and 11 are the starting LBA, 64 bits. */
    public static final long CDW10 = 40;
    /** Command dword 11. */
    public static final long CDW11 = 44;
    /** Command dword 12. For reads and writes: {@link #NLB}, {@link #PRINFO}, {@link #FUA}, {@link #LR}. */
    public static final long CDW12 = 48;
    /** Command dword 13. */
    public static final long CDW13 = 52;
    /** Command dword 14. */
    public static final long CDW14 = 56;
    /** Command dword 15. */
    public static final long CDW15 = 60;

    /** CDW0: which command. */
    public static final Field OPCODE = Field.bits("OPC", 7, 0);
    /** CDW0: fused operation. */
    public static final Field FUSE = Field.bits("FUSE", 9, 8);
    /** FUSE: the first of two commands. */
    public static final int FUSE_FIRST = 1;
    /** FUSE: the second of two commands. */
    public static final int FUSE_SECOND = 2;
    /** CDW0: 0 for PRPs, 1 or 2 for SGLs. */
    public static final Field PSDT = Field.bits("PSDT", 15, 14);
    /** PSDT: PRP entries. */
    public static final int PSDT_PRP = 0;
    /** PSDT: SGLs, and a metadata pointer that is an address. */
    public static final int PSDT_SGL = 1;
    /** PSDT: SGLs, also for metadata. */
    public static final int PSDT_SGL_METADATA = 2;
    /** CDW0: the command's identifier, which comes back in its completion. */
    public static final Field COMMAND_ID = Field.bits("CID", 31, 16);

    /** Read and write, CDW12: the number of blocks, less one. NVM command set 1.0, 3.2.4. */
    public static final Field NLB = Field.bits("NLB", 15, 0);
    /** Read and write, CDW12: protection information. */
    public static final Field PRINFO = Field.bits("PRINFO", 29, 26);
    /** Read and write, CDW12: force unit access. */
    public static final Field FUA = Field.bit("FUA", 30);
    /** Read and write, CDW12: limited retry. */
    public static final Field LR = Field.bit("LR", 31);

    /** Create and delete queue, CDW10: the queue's identifier. Base specification 2.0, 5.4 and 5.5. */
    public static final Field QUEUE_ID = Field.bits("QID", 15, 0);
    /** Create queue, CDW10: the queue's entries, less one. */
    public static final Field QUEUE_SIZE = Field.bits("QSIZE", 31, 16);
    /** Create queue, CDW11: physically contiguous. */
    public static final Field PHYSICALLY_CONTIGUOUS = Field.bit("PC", 0);
    /** Create submission queue, CDW11: priority for weighted round robin; 0 is urgent, 3 low. */
    public static final Field QUEUE_PRIORITY = Field.bits("QPRIO", 2, 1);
    /** Create completion queue, CDW11: interrupts enabled. */
    public static final Field INTERRUPTS_ENABLED = Field.bit("IEN", 1);
    /** Create completion queue, CDW11: interrupt vector. */
    public static final Field INTERRUPT_VECTOR = Field.bits("IV", 31, 16);
    /** Create submission queue, CDW11: the completion queue that it uses. */
    public static final Field COMPLETION_QUEUE_ID = Field.bits("CQID", 31, 16);

    /** Identify, CDW10: what to identify. Base specification 2.0, 5.17. */
    public static final Field CNS = Field.bits("CNS", 7, 0);
    /** Identify, CDW10: a controller. */
    public static final Field CONTROLLER_ID = Field.bits("CNTID", 31, 16);
    /** Identify, CDW11: a command set. */
    public static final Field COMMAND_SET = Field.bits("CSI", 31, 24);
    /** Abort, CDW10: the submission queue. */
    public static final Field ABORT_QUEUE_ID = Field.bits("SQID", 15, 0);
    /** Abort, CDW10: the command. */
    public static final Field ABORT_COMMAND_ID = Field.bits("CID", 31, 16);
    /** Write zeroes, CDW12: deallocate. */
    public static final Field DEALLOCATE = Field.bit("DEAC", 25);
    /** Security send and receive, CDW10: the protocol. */
    public static final Field SECURITY_PROTOCOL = Field.bits("SECP", 31, 24);
    /** Security send and receive, CDW10: what the protocol makes of it. */
    public static final Field SECURITY_SPECIFIC = Field.bits("SPSP", 23, 8);
    /** Get and set features, CDW10: which feature. */
    public static final Field FEATURE_ID = Field.bits("FID", 7, 0);
    /** Get log page, CDW10: which log. */
    public static final Field LOG_ID = Field.bits("LID", 7, 0);

    private SubmissionEntry() {}
}
