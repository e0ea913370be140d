package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * A controller's settings. What is set holds until the next reset, unless it is saved by {@link #set(int, int, int,
 * boolean)}. Errors are those of {@link AdminCommands}. NVMe base specification 2.0, 5.15 and 5.27.
 */
public final class Features {
    private static final int HOST_ID_BYTES = 16;
    private static final Duration COALESCING_UNIT = Duration.ofNanos(100_000);

    private final AdminCommands commands;
    private final NvmeController controller;

    Features(AdminCommands commands, NvmeController controller) {
        this.commands = commands;
        this.controller = controller;
    }

    /**
     * How commands are taken from queues. NVMe base specification 2.0, 5.27.1.1.
     *
     * @param burst how many commands are taken from a queue at once, as a power of two; 7 is no limit
     * @param lowWeight the weight of low priority, 1 to 256
     * @param mediumWeight the weight of medium priority, 1 to 256
     * @param highWeight the weight of high priority, 1 to 256
     */
    public record Arbitration(int burst, int lowWeight, int mediumWeight, int highWeight) {
        private static Arbitration of(int value) {
            return new Arbitration(
                    (int) Feature.ARBITRATION_BURST.get(value),
                    (int) Feature.LOW_WEIGHT.get(value) + 1,
                    (int) Feature.MEDIUM_WEIGHT.get(value) + 1,
                    (int) Feature.HIGH_WEIGHT.get(value) + 1);
        }

        int value() {
            return (int) (Feature.ARBITRATION_BURST.of(burst)
                    | Feature.LOW_WEIGHT.of(lowWeight - 1L)
                    | Feature.MEDIUM_WEIGHT.of(mediumWeight - 1L)
                    | Feature.HIGH_WEIGHT.of(highWeight - 1L));
        }
    }

    /**
     * When completions become an interrupt. NVMe base specification 2.0, 5.27.1.6.
     *
     * @param completions after so many, 1 to 256
     * @param time after this time, in units of 100 microseconds, up to 25.5 ms; zero for none
     */
    public record InterruptCoalescing(int completions, Duration time) {
        private static InterruptCoalescing of(int value) {
            return new InterruptCoalescing(
                    (int) Feature.COALESCING_THRESHOLD.get(value) + 1,
                    COALESCING_UNIT.multipliedBy(Feature.COALESCING_TIME.get(value)));
        }

        private int value() {
            return (int) (Feature.COALESCING_THRESHOLD.of(completions - 1L)
                    | Feature.COALESCING_TIME.of(time.dividedBy(COALESCING_UNIT)));
        }
    }

    /**
     * How many I/O queues the controller gave to the driver.
     *
     * @param submission submission queues
     * @param completion completion queues
     */
    public record QueueCounts(int submission, int completion) {}

    /**
     * The host memory buffer, as the controller sees it. NVMe base specification 2.0, 5.27.1.10.
     *
     * @param enabled whether the controller uses it (EHM)
     * @param pages its size (HSIZE), in pages of the controller's
     * @param listAddress where the list of its pieces is (HMDLAL, HMDLAU)
     * @param pieces how many pieces it has (HMDLEC)
     */
    public record HostMemory(boolean enabled, long pages, long listAddress, long pieces) {}

    /**
     * The value in effect of a feature of which there is one.
     *
     * @param feature one of {@link Feature}, or a vendor's
     * @return dword 0 of the completion
     * @throws IOException if it fails
     */
    public int get(int feature) throws IOException {
        return get(feature, Feature.SELECT_CURRENT, 0, 0);
    }

    /**
     * A value of a feature.
     *
     * @param feature one of {@link Feature}, or a vendor's
     * @param select which of its values: {@link Feature#SELECT_CURRENT}, {@link Feature#SELECT_DEFAULT}, {@link
     *     Feature#SELECT_SAVED}, or {@link Feature#SELECT_CAPABILITIES} for what can be done with it
     * @param namespaceId the namespace; 0 for a feature of the controller
     * @param dword11 which sensor, vector or the like; 0 where the feature has none
     * @return dword 0 of the completion
     * @throws IOException if it fails
     */
    public int get(int feature, int select, int namespaceId, int dword11) throws IOException {
        return commands.execute(getCommand(feature, select, namespaceId, dword11));
    }

    /**
     * A feature that has a buffer.
     *
     * @param feature one of {@link Feature}, or a vendor's
     * @param select which of its values
     * @param namespaceId the namespace; 0 for a feature of the controller
     * @param dword11 what the feature makes of it
     * @param bytes the size of the buffer: a multiple of 4
     * @return its data
     * @throws IOException if it fails
     */
    public MemorySegment getData(int feature, int select, int namespaceId, int dword11, long bytes) throws IOException {
        return commands.receive(getCommand(feature, select, namespaceId, dword11), bytes);
    }

    private static NvmeCommand getCommand(int feature, int select, int namespaceId, int dword11) {
        return NvmeCommand.of(Opcode.GET_FEATURES)
                .namespace(namespaceId)
                .dword(10, (int) (SubmissionEntry.FEATURE_ID.of(feature) | Feature.SELECT.of(select)))
                .dword(11, dword11);
    }

    /**
     * Sets a feature of the controller until the next reset.
     *
     * @param feature one of {@link Feature}, or a vendor's
     * @param value dword 11 of the command
     * @throws IOException if it fails
     */
    public void set(int feature, int value) throws IOException {
        set(feature, value, 0, false);
    }

    /**
     * Sets a feature.
     *
     * @param feature one of {@link Feature}, or a vendor's
     * @param value dword 11 of the command
     * @param namespaceId the namespace; 0 for a feature of the controller
     * @param save whether it outlives resets and power-off
     * @return dword 0 of the completion
     * @throws IOException if it fails
     */
    public int set(int feature, int value, int namespaceId, boolean save) throws IOException {
        return commands.execute(setCommand(feature, value, namespaceId, save));
    }

    /**
     * Sets a feature that has a buffer.
     *
     * @param feature one of {@link Feature}, or a vendor's
     * @param value dword 11 of the command
     * @param namespaceId the namespace; 0 for a feature of the controller
     * @param save whether it outlives resets and power-off
     * @param data its data: a multiple of 4 bytes
     * @return dword 0 of the completion
     * @throws IOException if it fails
     */
    public int setData(int feature, int value, int namespaceId, boolean save, MemorySegment data) throws IOException {
        return commands.send(setCommand(feature, value, namespaceId, save), data);
    }

    static NvmeCommand setCommand(int feature, int value, int namespaceId, boolean save) {
        return NvmeCommand.of(Opcode.SET_FEATURES)
                .namespace(namespaceId)
                .dword(10, (int) (SubmissionEntry.FEATURE_ID.of(feature) | Feature.SAVE.of(save ? 1 : 0)))
                .dword(11, value);
    }

    /**
     * Whether writes may complete before they are durable.
     *
     * @return whether the volatile write cache is on
     * @throws IOException if it fails, as where there is none
     */
    public boolean volatileWriteCache() throws IOException {
        return (get(Feature.VOLATILE_WRITE_CACHE) & 1) != 0;
    }

    /**
     * Switches the volatile write cache.
     *
     * @param on whether writes may complete before they are durable
     * @throws IOException if it fails
     */
    public void setVolatileWriteCache(boolean on) throws IOException {
        set(Feature.VOLATILE_WRITE_CACHE, on ? 1 : 0);
    }

    /**
     * The number of I/O queues that the driver was given.
     *
     * @return the counts
     * @throws IOException if it fails
     */
    public QueueCounts queueCounts() throws IOException {
        int value = get(Feature.NUMBER_OF_QUEUES);
        return new QueueCounts(
                (int) Feature.SUBMISSION_QUEUES.get(value) + 1, (int) Feature.COMPLETION_QUEUES.get(value) + 1);
    }

    /**
     * The temperature beyond which the controller warns.
     *
     * @param sensor which sensor, 1 to 8; 0 for the composite temperature
     * @param under whether it is the one below which it warns
     * @return kelvin
     * @throws IOException if it fails
     */
    public int temperatureThresholdKelvin(int sensor, boolean under) throws IOException {
        int which = thresholdOf(sensor, under);
        return (int) Feature.THRESHOLD.get(get(Feature.TEMPERATURE_THRESHOLD, Feature.SELECT_CURRENT, 0, which));
    }

    /**
     * Sets the temperature beyond which the controller warns.
     *
     * @param sensor which sensor, 1 to 8; 0 for the composite temperature, 15 for all
     * @param under whether it is the one below which it warns
     * @param kelvin the temperature
     * @throws IOException if it fails
     */
    public void setTemperatureThresholdKelvin(int sensor, boolean under, int kelvin) throws IOException {
        if (controller.has(Quirk.NO_TEMPERATURE_THRESHOLD)) {
            throw new DeviceException(controller.address()
                    + " fails once its temperature thresholds are changed; leave them as they are");
        }
        set(Feature.TEMPERATURE_THRESHOLD, thresholdOf(sensor, under) | (int) Feature.THRESHOLD.of(kelvin));
    }

    private static int thresholdOf(int sensor, boolean under) {
        return (int) (Feature.THRESHOLD_SENSOR.of(sensor) | Feature.THRESHOLD_TYPE.of(under ? 1 : 0));
    }

    /**
     * How commands are taken from queues.
     *
     * @return burst and weights
     * @throws IOException if it fails
     */
    public Arbitration arbitration() throws IOException {
        return Arbitration.of(get(Feature.ARBITRATION));
    }

    /**
     * Sets how commands are taken from queues.
     *
     * @param arbitration burst and weights
     * @throws IOException if it fails
     */
    public void setArbitration(Arbitration arbitration) throws IOException {
        set(Feature.ARBITRATION, arbitration.value());
    }

    /**
     * The host memory buffer; {@link NvmeController#hostMemoryBytes} says how much the driver gave.
     *
     * @return what the controller has been told
     * @throws IOException if it fails, as where there is none
     */
    public HostMemory hostMemory() throws IOException {
        AdminQueue.Received received = commands.receiveAll(
                getCommand(Feature.HOST_MEMORY_BUFFER, Feature.SELECT_CURRENT, 0, 0),
                Feature.HOST_MEMORY_ATTRIBUTES.byteSize());
        StructView attributes = Feature.HOST_MEMORY_ATTRIBUTES.view(received.data());
        return new HostMemory(
                Feature.HOST_MEMORY_ENABLED.isSet(received.result()),
                attributes.get("hsize"),
                attributes.get("hmdlau") << Integer.SIZE | attributes.get("hmdlal"),
                attributes.get("hmdlec"));
    }

    /**
     * The power state.
     *
     * @return its number; 0 is the one of most power
     * @throws IOException if it fails
     */
    public int powerState() throws IOException {
        return (int) Feature.POWER_STATE.get(get(Feature.POWER_MANAGEMENT));
    }

    /**
     * Changes the power state.
     *
     * @param state its number, up to {@code npss} of identify controller
     * @throws IOException if it fails
     */
    public void setPowerState(int state) throws IOException {
        if (controller.has(Quirk.NO_DEEPEST_POWER_STATE)
                && state == controller.identity().data().getInt("npss")) {
            throw new DeviceException(controller.address() + " does not wake up from its deepest power state " + state
                    + "; take another");
        }
        set(Feature.POWER_MANAGEMENT, (int) Feature.POWER_STATE.of(state));
    }

    /**
     * When completions become an interrupt.
     *
     * @return count and time
     * @throws IOException if it fails
     */
    public InterruptCoalescing interruptCoalescing() throws IOException {
        return InterruptCoalescing.of(get(Feature.INTERRUPT_COALESCING));
    }

    /**
     * Sets when completions become an interrupt.
     *
     * @param coalescing count and time
     * @throws IOException if it fails
     */
    public void setInterruptCoalescing(InterruptCoalescing coalescing) throws IOException {
        set(Feature.INTERRUPT_COALESCING, coalescing.value());
    }

    /**
     * The identifier that reservations know this host by.
     *
     * @return 16 bytes, all zero if it has none
     * @throws IOException if it fails
     */
    public MemorySegment hostId() throws IOException {
        return getData(
                Feature.HOST_IDENTIFIER,
                Feature.SELECT_CURRENT,
                0,
                (int) Feature.EXTENDED_HOST_ID.of(1),
                HOST_ID_BYTES);
    }

    /**
     * Sets the identifier that reservations know this host by.
     *
     * @param id 16 bytes
     * @throws IOException if it fails
     */
    public void setHostId(MemorySegment id) throws IOException {
        if (id.byteSize() != HOST_ID_BYTES) {
            throw new IllegalArgumentException(
                    "a host identifier has " + HOST_ID_BYTES + " bytes, not " + id.byteSize());
        }
        setData(Feature.HOST_IDENTIFIER, (int) Feature.EXTENDED_HOST_ID.of(1), 0, false, id);
    }
}
