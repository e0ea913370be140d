package dev.outboard.specs.nvme;

import dev.outboard.memory.Field;

/** Namespace management, namespace attachment and format NVM. NVMe base specification 2.0, 5.14, 5.22 and 5.23. */
public final class NamespaceCommand {
    /** CDW10 of management and attachment: what to do. */
    public static final Field SELECT = Field.bits("SEL", 3, 0);
    /** CDW11 of management: the command set. */
    public static final Field COMMAND_SET = Field.bits("CSI", 31, 24);
    /** Management: create. */
    public static final int CREATE = 0;
    /** Management: delete. */
    public static final int DELETE = 1;
    /** Attachment: attach. */
    public static final int ATTACH = 0;
    /** Attachment: detach. */
    public static final int DETACH = 1;
    /** CDW10 of format: the LBA format. */
    public static final Field FORMAT = Field.bits("LBAFL", 3, 0);
    /** CDW10 of format: metadata follows the data of each block. */
    public static final Field EXTENDED = Field.bit("MSET", 4);
    /** CDW10 of format: the type of protection information. */
    public static final Field PROTECTION = Field.bits("PI", 7, 5);
    /** CDW10 of format: protection information comes first in the metadata. */
    public static final Field PROTECTION_FIRST = Field.bit("PIL", 8);
    /** CDW10 of format: secure erase. */
    public static final Field SECURE_ERASE = Field.bits("SES", 11, 9);
    /** CDW10 of format: the high bits of the LBA format. */
    public static final Field FORMAT_HIGH = Field.bits("LBAFU", 13, 12);
    /** Secure erase: what is there may stay readable by other means. */
    public static final int ERASE_NONE = 0;
    /** Secure erase: user data. */
    public static final int ERASE_USER_DATA = 1;
    /** Secure erase: the key that user data is encrypted with. */
    public static final int ERASE_CRYPTOGRAPHIC = 2;

    private NamespaceCommand() {}
}
