package dev.outboard.nvme.load;

import java.time.Duration;
import java.util.OptionalInt;

/**
 * A load.
 *
 * @param operation what it does
 * @param readPercent how many of its requests read, 0 to 100
 * @param blockSizeBytes how much each request transfers, a multiple of the namespace's block size
 * @param spanBytes how much of the namespace it uses, from its start; 0 for all
 * @param queueDepth how many requests are on their way at a time
 * @param duration how long it is measured at most
 * @param requests how many requests are measured at most; 0 for any number
 * @param requestsPerSecond how many are submitted a second; 0 for as many as the device takes
 * @param warmUp how long it runs before that, not counted
 * @param verify whether what is written differs from place to place, and is compared when it is read, and at the end
 * @param cpu which processor the polling thread is pinned to, if any; that of further jobs to the next ones
 */
public record LoadOptions(
        Operation operation,
        int readPercent,
        int blockSizeBytes,
        long spanBytes,
        int queueDepth,
        Duration duration,
        long requests,
        long requestsPerSecond,
        Duration warmUp,
        boolean verify,
        OptionalInt cpu) {
    /** Checks what does not depend on the device. */
    public LoadOptions {
        if (readPercent < 0 || readPercent > 100 || requests < 0 || requestsPerSecond < 0) {
            throw new IllegalArgumentException("reads are 0 to 100 %, not " + readPercent
                    + "; requests and their rate are not negative, as " + requests + " or " + requestsPerSecond);
        }
    }

    /**
     * A load without limits of its requests.
     *
     * @param operation what it does
     * @param blockSizeBytes how much each request transfers, a multiple of the namespace's block size
     * @param spanBytes how much of the namespace it uses, from its start; 0 for all
     * @param queueDepth how many requests are on their way at a time
     * @param duration how long it is measured
     * @param warmUp how long it runs before that, not counted
     * @param cpu which processor the polling thread is pinned to, if any
     */
    public LoadOptions(
            Operation operation,
            int blockSizeBytes,
            long spanBytes,
            int queueDepth,
            Duration duration,
            Duration warmUp,
            OptionalInt cpu) {
        this(
                operation,
                operation.readPercent(),
                blockSizeBytes,
                spanBytes,
                queueDepth,
                duration,
                0,
                0,
                warmUp,
                false,
                cpu);
    }

    /** Whether it changes what is stored. */
    boolean writes() {
        return readPercent < 100;
    }

    /** The same for one of several jobs. */
    LoadOptions ofJob(int job, int jobs) {
        OptionalInt ownCpu = cpu.isPresent() ? OptionalInt.of(cpu.getAsInt() + job) : cpu;
        return new LoadOptions(
                operation,
                readPercent,
                blockSizeBytes,
                spanBytes,
                queueDepth,
                duration,
                share(requests, job, jobs),
                share(requestsPerSecond, job, jobs),
                warmUp,
                verify,
                ownCpu);
    }

    // The first ones get what is left over; a limit that is there stays one.
    private static long share(long all, int job, int jobs) {
        return all == 0 ? 0 : Math.max(1, all / jobs + (job < all % jobs ? 1 : 0));
    }
}
