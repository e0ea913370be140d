package dev.outboard.specs.nvme;

/** What a command does, as the log page of supported commands says it. NVMe base specification 2.0, 5.16.1.6. */
public final class CommandEffects {
    /** The command is there. */
    public static final int SUPPORTED = 1;
    /** User data may change. */
    public static final int CHANGES_BLOCKS = 1 << 1;
    /** Namespaces may change what they can do. */
    public static final int CHANGES_NAMESPACE = 1 << 2;
    /** Namespaces may come or go. */
    public static final int CHANGES_INVENTORY = 1 << 3;
    /** The controller may change what it can do. */
    public static final int CHANGES_CONTROLLER = 1 << 4;
    /** No other command to this namespace meanwhile. */
    public static final int ALONE_IN_NAMESPACE = 1 << 16;
    /** No other command to any namespace meanwhile. */
    public static final int ALONE = 2 << 16;
    /** The size of the log: 256 admin commands, then 256 I/O commands, a dword each. */
    public static final int LOG_BYTES = 4096;
    /** Where the I/O commands start in the log. */
    public static final int LOG_IO = 1024;

    private CommandEffects() {}
}
