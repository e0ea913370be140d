package dev.outboard.nvme;

/**
 * Whose commands a controller takes first that was opened with {@linkplain NvmeSettings#withWeightedRoundRobin weighted
 * round robin}. NVMe base specification 2.0, 3.4.4.2.
 */
public enum QueuePriority {
    /** Before all others, as long as there are some. */
    URGENT(0),
    /** As many in a round as {@link Features.Arbitration#highWeight} says. */
    HIGH(1),
    /** As many in a round as {@link Features.Arbitration#mediumWeight} says. */
    MEDIUM(2),
    /** As many in a round as {@link Features.Arbitration#lowWeight} says. */
    LOW(3);

    private final int code;

    QueuePriority(int code) {
        this.code = code;
    }

    /** QPRIO. */
    int code() {
        return code;
    }
}
