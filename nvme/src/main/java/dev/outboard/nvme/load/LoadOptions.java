package dev.outboard.nvme.load;

import java.time.Duration;
import java.util.OptionalInt;

/**
 * A load.
 *
 * @param operation what it does
 * @param blockSizeBytes how much each request transfers, a multiple of the namespace's block size
 * @param spanBytes how much of the namespace it uses, from its start; 0 for all
 * @param queueDepth how many requests are on their way at a time
 * @param duration how long it is measured
 * @param warmUp how long it runs before that, not counted
 * @param cpu which processor the polling thread is pinned to, if any
 */
public record LoadOptions(
        Operation operation,
        int blockSizeBytes,
        long spanBytes,
        int queueDepth,
        Duration duration,
        Duration warmUp,
        OptionalInt cpu) {}
