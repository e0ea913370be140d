package dev.outboard.virtio.pci;

import static dev.outboard.specs.virtio.VirtioPciRegisters.CONFIG_GENERATION;
import static dev.outboard.specs.virtio.VirtioPciRegisters.CONFIG_MSIX_VECTOR;
import static dev.outboard.specs.virtio.VirtioPciRegisters.DEVICE_FEATURE;
import static dev.outboard.specs.virtio.VirtioPciRegisters.DEVICE_FEATURE_SELECT;
import static dev.outboard.specs.virtio.VirtioPciRegisters.DEVICE_STATUS;
import static dev.outboard.specs.virtio.VirtioPciRegisters.DRIVER_FEATURE;
import static dev.outboard.specs.virtio.VirtioPciRegisters.DRIVER_FEATURE_SELECT;
import static dev.outboard.specs.virtio.VirtioPciRegisters.NO_VECTOR;
import static dev.outboard.specs.virtio.VirtioPciRegisters.NUM_QUEUES;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_DESC_HIGH;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_DESC_LOW;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_DEVICE_HIGH;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_DEVICE_LOW;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_DRIVER_HIGH;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_DRIVER_LOW;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_ENABLE;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_MSIX_VECTOR;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_NOTIFY_OFF;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_SELECT;
import static dev.outboard.specs.virtio.VirtioPciRegisters.QUEUE_SIZE;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.Registers;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.specs.virtio.VirtioStatus;
import dev.outboard.virtio.DriverQueue;
import dev.outboard.virtio.QueueAddresses;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A PCI function that is a virtio device, as its driver sees it: reset, its features agreed on, ready for its queues.
 * VIRTIO 1.2, 3.1 and 4.1.
 *
 * <p>The driver creates the queues that it wants, then {@linkplain #start starts} the device. One thread sets the function
 * up; its queues then belong to one thread each.
 */
public final class VirtioFunction implements AutoCloseable {
    /** What is waited for: a device does it at once, or never. */
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private static final Duration RESET_TIMEOUT = Duration.ofSeconds(1);
    private static final long POLL_NANOS = 50_000;
    private static final long ALL_ONES = 0xff;
    private static final long LOW_HALF = 0xffff_ffffL;
    private static final int HALVES = 2;

    /** The steps of bringing a device up. 3.1.1. */
    private enum Step {
        /** Whoever had the device before may have left it running. */
        RESET,
        /** Until the status is 0. */
        WAIT_UNTIL_RESET,
        /** Tell the device that it was noticed, and that there is a driver. */
        ACKNOWLEDGE,
        /** Accept what both sides know. */
        NEGOTIATE,
        /** See whether the device agrees. */
        CHECK_FEATURES,
        /** Queues can be created. */
        CONFIGURED
    }

    private final PciFunction function;
    private final Structures structures;
    private final Registers common;
    private final long wanted;
    private final List<DriverQueue> queues = new ArrayList<>();
    private List<Interrupt> interrupts = List.of();
    private long features;
    private long deadlineNanos;
    private boolean closed;

    private VirtioFunction(PciFunction function, long wanted) throws IOException {
        this.function = function;
        this.wanted = wanted;
        structures = Structures.of(function);
        common = structures.common();
    }

    /**
     * Takes over a PCI function: resets the device and agrees with it on features.
     *
     * @param function the function; it now belongs to what is returned, and is closed if this fails
     * @param wanted the features that the driver knows; {@link VirtioFeature#VERSION_1} and
     *     {@link VirtioFeature#ACCESS_PLATFORM} come by themselves
     * @return the device, without queues
     * @throws IOException if it is no virtio device of VIRTIO 1.0 or later, or does not come up
     */
    public static VirtioFunction open(PciFunction function, long wanted) throws IOException {
        try {
            VirtioFunction opened = new VirtioFunction(function, wanted);
            opened.bringUp();
            return opened;
        } catch (IOException | RuntimeException e) {
            function.close();
            throw e;
        } catch (InternalError e) {
            function.close();
            throw gone(function, e);
        }
    }

    /**
     * What an access that raised SIGBUS means, see {@link Registers}.
     *
     * @param function the function
     * @param fault what was raised
     * @return the exception to throw
     */
    public static DeviceGoneException gone(PciFunction function, InternalError fault) {
        return new DeviceGoneException(
                function.address() + " does not answer at its registers: it is gone, or its memory is disabled", fault);
    }

    private void bringUp() throws IOException {
        Step step = Step.RESET;
        while (step != Step.CONFIGURED) {
            Step next = next(step);
            if (next == step) {
                LockSupport.parkNanos(POLL_NANOS);
            }
            step = next;
        }
    }

    private Step next(Step step) throws IOException {
        return switch (step) {
            case RESET -> {
                common.write(DEVICE_STATUS, 0);
                deadlineNanos = System.nanoTime() + TIMEOUT.toNanos();
                yield Step.WAIT_UNTIL_RESET;
            }
            case WAIT_UNTIL_RESET -> isReset() ? Step.ACKNOWLEDGE : step;
            case ACKNOWLEDGE -> {
                raise(VirtioStatus.ACKNOWLEDGE);
                raise(VirtioStatus.DRIVER);
                yield Step.NEGOTIATE;
            }
            case NEGOTIATE -> negotiate();
            case CHECK_FEATURES -> checkFeatures();
            case CONFIGURED -> step;
        };
    }

    private boolean isReset() throws IOException {
        function.checkPresent();
        if (common.read(DEVICE_STATUS) == 0) {
            return true;
        }
        if (System.nanoTime() - deadlineNanos >= 0) {
            throw new DeviceTimeoutException(this + " did not reset within " + TIMEOUT.toSeconds()
                    + " s (its status is 0x" + Long.toHexString(common.read(DEVICE_STATUS)) + "); reset the function");
        }
        return false;
    }

    private void raise(Field bit) {
        common.write(DEVICE_STATUS, common.read(DEVICE_STATUS) | bit.mask());
    }

    private Step negotiate() throws IOException {
        long offered = 0;
        for (int half = 0; half < HALVES; half++) {
            common.write(DEVICE_FEATURE_SELECT, half);
            offered |= common.read(DEVICE_FEATURE) << (half * Integer.SIZE);
        }
        if ((offered & VirtioFeature.VERSION_1) == 0) {
            throw failed("does not offer VIRTIO_F_VERSION_1 (its features are 0x" + Long.toHexString(offered)
                    + "): it is older than this driver");
        }
        features = offered & (wanted | VirtioFeature.VERSION_1 | VirtioFeature.ACCESS_PLATFORM);
        for (int half = 0; half < HALVES; half++) {
            common.write(DRIVER_FEATURE_SELECT, half);
            common.write(DRIVER_FEATURE, (features >>> (half * Integer.SIZE)) & LOW_HALF);
        }
        raise(VirtioStatus.FEATURES_OK);
        return Step.CHECK_FEATURES;
    }

    private Step checkFeatures() throws IOException {
        if (!VirtioStatus.FEATURES_OK.isSet(common.read(DEVICE_STATUS))) {
            throw failed("does not agree on the features 0x" + Long.toHexString(features));
        }
        // An earlier user's DMA must not start again with the function's; it was reset.
        function.setBusMaster(true);
        int vectors = Math.min(function.interruptVectors(), queueCount() + 1);
        if (vectors > 0) {
            interrupts = function.enableInterrupts(vectors);
        }
        if (structures.msix() && !interrupts.isEmpty()) {
            setVector(CONFIG_MSIX_VECTOR, 0);
        }
        return Step.CONFIGURED;
    }

    private DeviceException failed(String reason) {
        raise(VirtioStatus.FAILED);
        return new DeviceException(this + " " + reason);
    }

    private void setVector(Register register, int vector) throws IOException {
        common.write(register, vector);
        if (common.read(register) == NO_VECTOR) {
            throw failed("has no room for interrupt vector " + vector + "; use fewer queues");
        }
    }

    /**
     * What driver and device agreed on.
     *
     * @return a mask
     */
    public long features() {
        return features;
    }

    /**
     * Whether a feature was agreed on.
     *
     * @param feature its mask
     * @return whether it is there
     */
    public boolean has(long feature) {
        return (features & feature) != 0;
    }

    /**
     * The PCI function.
     *
     * @return the function, which is this object's
     */
    public PciFunction function() {
        return function;
    }

    /**
     * How many queues the device has.
     *
     * @return the number
     */
    public int queueCount() {
        return (int) common.read(NUM_QUEUES);
    }

    /**
     * Reads the device's own configuration, wide registers consistently. VIRTIO 1.2, 2.5.1.
     *
     * @param register the register
     * @return its value, zero-extended
     * @throws IOException if the configuration is too short, or does not stand still
     */
    public long read(Register register) throws IOException {
        Registers device = structures.device();
        if (register.offset() + register.widthBytes() > device.sizeBytes()) {
            throw new DeviceException(
                    this + " has " + device.sizeBytes() + " bytes of configuration, and in them no " + register.name());
        }
        if (register.widthBits() != Long.SIZE) {
            return device.read(register);
        }
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (System.nanoTime() - deadline < 0) {
            long generation = common.read(CONFIG_GENERATION);
            long low = Integer.toUnsignedLong(device.read32(register.offset()));
            long high = Integer.toUnsignedLong(device.read32(register.offset() + Integer.BYTES));
            if (common.read(CONFIG_GENERATION) == generation) {
                return high << Integer.SIZE | low;
            }
        }
        throw new DeviceTimeoutException(
                this + " changes its configuration faster than it can be read; reset the device");
    }

    /**
     * Creates a queue, before the device is {@linkplain #start started}.
     *
     * @param index which queue, from 0
     * @param mostDescriptors how many descriptors it shall have at most
     * @param maximumBuffers the most buffers of a request
     * @return the queue, that does not interrupt until it is waited for
     * @throws IOException if the device has no such queue, or there is no memory
     */
    public VirtioQueue createQueue(int index, int mostDescriptors, int maximumBuffers) throws IOException {
        common.write(QUEUE_SELECT, index);
        int largest = (int) common.read(QUEUE_SIZE);
        if (largest < maximumBuffers) {
            throw failed(
                    "has " + largest + " descriptors in queue " + index + ", and " + maximumBuffers + " are needed");
        }
        int size = Integer.highestOneBit(Math.min(largest, mostDescriptors));
        DriverQueue ring = DriverQueue.create(function.dma(), this + " queue " + index, size, features, maximumBuffers);
        queues.add(ring);
        common.write(QUEUE_SIZE, size);
        int vector = vector(index);
        if (structures.msix() && vector >= 0) {
            setVector(QUEUE_MSIX_VECTOR, vector);
        }
        QueueAddresses at = ring.addresses();
        write(QUEUE_DESC_LOW, QUEUE_DESC_HIGH, at.descriptors());
        write(QUEUE_DRIVER_LOW, QUEUE_DRIVER_HIGH, at.driver());
        write(QUEUE_DEVICE_LOW, QUEUE_DEVICE_HIGH, at.device());
        Registers notification = notification(index, common.read(QUEUE_NOTIFY_OFF));
        common.write(QUEUE_ENABLE, 1);
        return new VirtioQueue(
                index,
                ring,
                notification,
                vector >= 0 ? interrupts.get(vector) : null,
                structures.msix() ? null : structures.isr());
    }

    /** Vector 0 is the configuration's, unless there is no other. */
    private int vector(int queue) {
        return interrupts.size() > 1 ? 1 + queue % (interrupts.size() - 1) : interrupts.size() - 1;
    }

    private void write(Register low, Register high, long address) {
        common.write(low, address & LOW_HALF);
        common.write(high, address >>> Integer.SIZE);
    }

    private Registers notification(int index, long place) throws IOException {
        long offset = place * structures.notifyMultiplier();
        if (offset > structures.notifications().sizeBytes() - Short.BYTES) {
            throw failed("has the notifications of queue " + index + " at 0x" + Long.toHexString(offset)
                    + ", outside of their structure");
        }
        return structures.notifications().slice(offset, Short.BYTES);
    }

    /**
     * Starts the device: requests are served from now on.
     *
     * @throws IOException if it does not start
     */
    public void start() throws IOException {
        raise(VirtioStatus.DRIVER_OK);
        checkUsable();
    }

    /**
     * Finds out whether the device still works. Reads a register, which is a message or a trap on some access paths: not
     * for each poll.
     *
     * @throws DeviceGoneException if it is gone
     * @throws DeviceException if it says that it needs a reset, or was reset by somebody else
     */
    public void checkUsable() throws IOException {
        function.checkPresent();
        long status = common.read(DEVICE_STATUS);
        if (status == ALL_ONES) {
            throw new DeviceGoneException(this + " reads all ones: it is gone, or powered down", null);
        }
        if (VirtioStatus.DEVICE_NEEDS_RESET.isSet(status) || !VirtioStatus.DRIVER_OK.isSet(status)) {
            throw new DeviceException(this + (status == 0 ? " was reset by somebody else" : " has met an error")
                    + " (its status is 0x" + Long.toHexString(status) + "); close it and open it again");
        }
    }

    /** Resets the device, and closes its queues and its function. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (reset()) {
                // Else the device may still use them: they go with the function.
                queues.forEach(DriverQueue::close);
            }
        } finally {
            function.close();
        }
    }

    private boolean reset() {
        try {
            common.write(DEVICE_STATUS, 0);
            deadlineNanos = System.nanoTime() + RESET_TIMEOUT.toNanos();
            while (!isReset()) {
                LockSupport.parkNanos(POLL_NANOS);
            }
            return true;
        } catch (IOException | InternalError gone) {
            return false;
        }
    }

    @Override
    public String toString() {
        return function.address().toString();
    }
}
