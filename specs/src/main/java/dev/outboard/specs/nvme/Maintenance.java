package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/** Sanitize and device self-test. NVMe base specification 2.0, 5.9 and 5.24. */
public final class Maintenance {
    /** CDW10 of sanitize: the action. */
    public static final Field SANITIZE_ACTION = Field.bits("SANACT", 2, 0);
    /** CDW10 of sanitize: allow unrestricted exit. */
    public static final Field ALLOW_EXIT = Field.bit("AUSE", 3);
    /** CDW10 of sanitize: how many passes of overwriting; 0 is 16. */
    public static final Field OVERWRITE_PASSES = Field.bits("OWPASS", 7, 4);
    /** CDW10 of sanitize: invert the pattern between passes. */
    public static final Field INVERT = Field.bit("OIPBP", 8);
    /** CDW10 of sanitize: do not deallocate afterwards. */
    public static final Field NO_DEALLOCATE = Field.bit("NDAS", 9);
    /** Sanitize: leave the failure mode. */
    public static final int EXIT_FAILURE = 1;
    /** Sanitize: block erase. */
    public static final int BLOCK_ERASE = 2;
    /** Sanitize: overwrite, with the pattern in CDW11. */
    public static final int OVERWRITE = 3;
    /** Sanitize: change the media's key. */
    public static final int CRYPTO_ERASE = 4;
    /** SANICAP: all three kinds of sanitize. */
    public static final int SANITIZE_ALL = 0x7;
    /** SPROG of the sanitize log when nothing is going on. */
    public static final int SANITIZE_IDLE = 0xffff;
    /** SSTAT of the sanitize log: it never happened. */
    public static final int NEVER_SANITIZED = 0;
    /** SSTAT of the sanitize log: the last one succeeded. */
    public static final int SANITIZED = 1;
    /** SSTAT of the sanitize log: one is going on. */
    public static final int SANITIZING = 2;
    /** SSTAT of the sanitize log: how many passes of overwriting are done. */
    public static final Field PASSES_DONE = Field.bits("PASSES", 7, 3);
    /** SSTAT of the sanitize log: nothing was written since. */
    public static final int GLOBAL_DATA_ERASED = 0x100;
    /** CDW10 of device self-test: what to do. */
    public static final Field SELF_TEST = Field.bits("STC", 3, 0);
    /** Self-test: short. */
    public static final int SHORT_TEST = 0x1;
    /** Self-test: extended. */
    public static final int EXTENDED_TEST = 0x2;
    /** Self-test: abort. */
    public static final int ABORT_TEST = 0xf;
    /** Result of a self-test: no error. */
    public static final int TEST_PASSED = 0x0;
    /** Result of a self-test: aborted by the command. */
    public static final int TEST_ABORTED = 0x1;
    /** Result of a self-test: aborted by a controller level reset. */
    public static final int TEST_ABORTED_BY_RESET = 0x2;
    /** Result of a self-test: aborted because a namespace went. */
    public static final int TEST_ABORTED_BY_REMOVAL = 0x3;
    /** Result of a self-test: aborted by format. */
    public static final int TEST_ABORTED_BY_FORMAT = 0x4;
    /** Result of a self-test: aborted by sanitize. */
    public static final int TEST_ABORTED_BY_SANITIZE = 0x9;
    /** Result of a self-test: a segment failed. */
    public static final int TEST_FAILED = 0x7;
    /** Result of a self-test: there is none in this entry. */
    public static final int TEST_UNUSED = 0xf;

    private Maintenance() {}
}
