package dev.outboard.nvme;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a controller is opened. {@link #DEFAULT} suits most; each {@code with…} returns the same with one thing changed.
 *
 * @param commandTimeout how long a command may take
 * @param queuePairs how many queue pairs to ask the controller for, 1 to 65535; it may have fewer
 * @param shadowDoorbells whether doorbells are rung in memory
 * @param controllerMemory what is used of the controller's memory, if it has some
 * @param persistentMemory whether the controller's persistent memory region is used
 * @param hostMemory whether the controller gets memory of the host for itself, if it wants some
 * @param hostMemoryLimitBytes how much of that it gets at most
 * @param keepAlive after how long without a word of this driver the controller shall stop; zero for never
 * @param weightedRoundRobin how much of the controller queue pairs of each {@link QueuePriority} get; null for the same to
 *     all
 */
public record NvmeSettings(
        Duration commandTimeout,
        int queuePairs,
        ShadowDoorbellUse shadowDoorbells,
        ControllerMemoryUse controllerMemory,
        boolean persistentMemory,
        HostMemoryUse hostMemory,
        long hostMemoryLimitBytes,
        Duration keepAlive,
        Features.@Nullable Arbitration weightedRoundRobin) {
    /**
     * What suits most: 10 s, up to 64 queue pairs, shadow doorbells where they save something, up to 128 MiB of host memory
     * for a controller that wants it.
     */
    public static final NvmeSettings DEFAULT = new NvmeSettings(
            Duration.ofSeconds(10),
            64,
            ShadowDoorbellUse.AUTO,
            ControllerMemoryUse.NONE,
            false,
            HostMemoryUse.AUTO,
            128 << 20,
            Duration.ZERO,
            null);

    private static final int MAXIMUM_QUEUE_PAIRS = 0xffff;
    /** The unit that controllers count in (KAS). */
    private static final Duration SHORTEST_KEEP_ALIVE = Duration.ofMillis(100);

    private static final Duration LONGEST_KEEP_ALIVE = Duration.ofDays(1);

    /**
     * Whether doorbells are rung in memory, and by registers only when the controller asks for that. Emulated controllers
     * offer it, because each access to their registers costs them an exit or a message. NVMe base specification 2.0, B.5.
     */
    public enum ShadowDoorbellUse {
        /** If the controller offers it, unless its doorbells are memory already, as those that a vfio-user server maps. */
        AUTO,
        /** If the controller offers it, unless somebody has to {@linkplain dev.outboard.pci.PciFunction#isInterposed see} it. */
        ON,
        /** Never. */
        OFF
    }

    /** What is used of the controller memory buffer, if there is one. */
    public enum ControllerMemoryUse {
        /** Nothing: it stays as it is. */
        NONE,
        /** What a program {@linkplain NvmeController#memory allocates} of it. */
        DATA,
        /**
         * Submission queues lie there as far as there is room, and what a program allocates: the controller fetches
         * commands faster, the driver stores them more slowly.
         */
        SUBMISSION_QUEUES
    }

    /**
     * Whether the controller gets a host memory buffer: memory of the host that it has for itself. Controllers without
     * memory of their own, as many cheap disks are, keep their tables there, and are slow without. NVMe base specification
     * 2.0, 8.9.
     */
    public enum HostMemoryUse {
        /**
         * If the controller wants it, there is so much, and nobody has to {@linkplain
         * dev.outboard.pci.PciFunction#isInterposed see} what happens there.
         */
        AUTO,
        /** Always: opening a controller that does not take it is refused. */
        ON,
        /** Never. */
        OFF
    }

    /** Checks it. */
    public NvmeSettings {
        Objects.requireNonNull(shadowDoorbells);
        Objects.requireNonNull(controllerMemory);
        Objects.requireNonNull(hostMemory);
        if (commandTimeout.isNegative() || commandTimeout.isZero()) {
            throw new IllegalArgumentException("a command may take some time, not " + commandTimeout);
        }
        if (queuePairs < 1 || queuePairs > MAXIMUM_QUEUE_PAIRS) {
            throw new IllegalArgumentException(
                    "a controller has 1 to " + MAXIMUM_QUEUE_PAIRS + " queue pairs, not " + queuePairs);
        }
        if (!keepAlive.isZero()
                && (keepAlive.compareTo(SHORTEST_KEEP_ALIVE) < 0 || keepAlive.compareTo(LONGEST_KEEP_ALIVE) > 0)) {
            throw new IllegalArgumentException("a controller may not hear of its host for " + SHORTEST_KEEP_ALIVE
                    + " to " + LONGEST_KEEP_ALIVE + ", not " + keepAlive + "; zero is for ever");
        }
        if (hostMemoryLimitBytes < 1) {
            throw new IllegalArgumentException("a controller may have some memory of the host, not "
                    + hostMemoryLimitBytes + " bytes; HostMemoryUse.OFF gives it none");
        }
    }

    /**
     * Changes how long a command may take.
     *
     * @param timeout the deadline of every command
     * @return the settings
     */
    public NvmeSettings withCommandTimeout(Duration timeout) {
        return with(changed -> changed.commandTimeout = timeout);
    }

    /**
     * Changes how many queue pairs there can be.
     *
     * @param count how many to ask the controller for
     * @return the settings
     */
    public NvmeSettings withQueuePairs(int count) {
        return with(changed -> changed.queuePairs = count);
    }

    /**
     * Changes whether doorbells are rung in memory.
     *
     * @param use whether they are
     * @return the settings
     */
    public NvmeSettings withShadowDoorbells(ShadowDoorbellUse use) {
        return with(changed -> changed.shadowDoorbells = use);
    }

    /**
     * Changes what is used of the controller's memory.
     *
     * @param use what for
     * @return the settings
     */
    public NvmeSettings withControllerMemory(ControllerMemoryUse use) {
        return with(changed -> changed.controllerMemory = use);
    }

    /**
     * Has the controller's persistent memory region used. Opening one that has none is refused.
     *
     * @param used whether it is
     * @return the settings
     */
    public NvmeSettings withPersistentMemory(boolean used) {
        return with(changed -> changed.persistentMemory = used);
    }

    /**
     * Changes whether the controller gets memory of the host for itself.
     *
     * @param use whether it does
     * @return the settings
     */
    public NvmeSettings withHostMemory(HostMemoryUse use) {
        return with(changed -> changed.hostMemory = use);
    }

    /**
     * Changes how much memory of the host the controller gets for itself at most.
     *
     * @param bytes the limit, from 1 on; a controller that needs more gets none
     * @return the settings
     */
    public NvmeSettings withHostMemoryLimit(long bytes) {
        return with(changed -> changed.hostMemoryLimitBytes = bytes);
    }

    /**
     * Has the controller stop, with a fatal error, when it has not heard of this driver for a while, and a thread of the
     * driver's say that it is there three times as often. Opening a controller that has no such timer is refused. Controllers
     * on PCI Express see by themselves when their host is gone, and hardly ever need it.
     *
     * @param timeout for how long; the controller may round it up. Zero for as long as it takes
     * @return the settings
     */
    public NvmeSettings withKeepAlive(Duration timeout) {
        return with(changed -> changed.keepAlive = timeout);
    }

    /**
     * Has the controller take commands by priority. Opening one that cannot is refused.
     *
     * @param arbitration how many commands at once, and the weights
     * @return the settings
     */
    public NvmeSettings withWeightedRoundRobin(Features.Arbitration arbitration) {
        return with(changed -> changed.weightedRoundRobin = arbitration);
    }

    private NvmeSettings with(Consumer<Changed> change) {
        var changed = new Changed(this);
        change.accept(changed);
        return changed.settings();
    }

    /** The same components, of which one is set to another value. */
    private static final class Changed {
        private Duration commandTimeout;
        private int queuePairs;
        private ShadowDoorbellUse shadowDoorbells;
        private ControllerMemoryUse controllerMemory;
        private boolean persistentMemory;
        private HostMemoryUse hostMemory;
        private long hostMemoryLimitBytes;
        private Duration keepAlive;
        private Features.@Nullable Arbitration weightedRoundRobin;

        Changed(NvmeSettings settings) {
            commandTimeout = settings.commandTimeout;
            queuePairs = settings.queuePairs;
            shadowDoorbells = settings.shadowDoorbells;
            controllerMemory = settings.controllerMemory;
            persistentMemory = settings.persistentMemory;
            hostMemory = settings.hostMemory;
            hostMemoryLimitBytes = settings.hostMemoryLimitBytes;
            keepAlive = settings.keepAlive;
            weightedRoundRobin = settings.weightedRoundRobin;
        }

        NvmeSettings settings() {
            return new NvmeSettings(
                    commandTimeout,
                    queuePairs,
                    shadowDoorbells,
                    controllerMemory,
                    persistentMemory,
                    hostMemory,
                    hostMemoryLimitBytes,
                    keepAlive,
                    weightedRoundRobin);
        }
    }
}
