package dev.outboard.emulation.nvme;

/** How a command ended, in a {@code long} so that nothing is allocated: the status field below, the result above. */
final class Completion {
    /** The command is not done yet: no completion for now. */
    static final long NONE = -1;

    private Completion() {}

    static long success(int result) {
        return Integer.toUnsignedLong(result) << Integer.SIZE;
    }

    static long status(int status) {
        return status;
    }

    static int statusOf(long completion) {
        return (int) completion;
    }

    static int resultOf(long completion) {
        return (int) (completion >>> Integer.SIZE);
    }
}
