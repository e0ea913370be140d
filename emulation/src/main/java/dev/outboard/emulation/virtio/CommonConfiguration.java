package dev.outboard.emulation.virtio;

import static dev.outboard.specs.virtio.VirtioPciRegisters.NO_VECTOR;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.specs.virtio.VirtioPciRegisters;
import dev.outboard.specs.virtio.VirtioStatus;
import dev.outboard.virtio.QueueAddresses;
import dev.outboard.virtio.VirtioDevice;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.function.ObjLongConsumer;
import java.util.function.ToLongFunction;

/** The common configuration of a virtio function: what its registers hold and do. VIRTIO 1.2, 4.1.4.3 and 3.1. */
final class CommonConfiguration {
    private static final long LOW_HALF = 0xffff_ffffL;
    private static final long GENERATION_MASK = 0xff;

    /** What the registers have the device do. */
    interface Control {
        void enable(int queue, QueueAddresses at, long features);

        void disable(int queue);

        void start(long features);

        void reset();
    }

    /** The registers of one queue. */
    private static final class Queue {
        final int maximumSize;
        int size;
        int vector;
        boolean enabled;
        long descriptors;
        long driver;
        long device;

        Queue(int maximumSize) {
            this.maximumSize = maximumSize;
            reset();
        }

        void reset() {
            size = maximumSize;
            vector = NO_VECTOR;
            enabled = false;
            descriptors = 0;
            driver = 0;
            device = 0;
        }

        /** A size that cannot be is refused when the queue is taken into use. */
        void setSize(long value) {
            size = value <= maximumSize ? (int) value : 0;
        }

        QueueAddresses addresses() {
            return new QueueAddresses(size, descriptors, driver, device);
        }
    }

    /** How a register is read and written. */
    private record Cell(LongSupplier value, LongConsumer effect) {}

    private final long offered;
    private final Control control;
    private final Queue[] queues;
    private final Map<Register, Cell> cells = new LinkedHashMap<>();
    private long deviceSelect;
    private long driverSelect;
    private long accepted;
    private int vector = NO_VECTOR;
    private long status;
    private long generation;
    private int selected;

    CommonConfiguration(VirtioDevice device, long offered, Control control) {
        this.offered = offered;
        this.control = control;
        queues = new Queue[device.queueCount()];
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new Queue(device.maximumQueueSize(i));
        }
        defineDevice();
        defineQueue();
    }

    private void defineDevice() {
        cell(VirtioPciRegisters.DEVICE_FEATURE_SELECT, () -> deviceSelect, v -> deviceSelect = v);
        cell(VirtioPciRegisters.DEVICE_FEATURE, () -> half(offered, deviceSelect), v -> {});
        cell(VirtioPciRegisters.DRIVER_FEATURE_SELECT, () -> driverSelect, v -> driverSelect = v);
        cell(VirtioPciRegisters.DRIVER_FEATURE, () -> half(accepted, driverSelect), this::accept);
        cell(VirtioPciRegisters.CONFIG_MSIX_VECTOR, () -> vector, v -> vector = existingVector(v));
        cell(VirtioPciRegisters.NUM_QUEUES, () -> queues.length, v -> {});
        cell(VirtioPciRegisters.DEVICE_STATUS, () -> status, this::setStatus);
        cell(VirtioPciRegisters.CONFIG_GENERATION, () -> generation, v -> {});
        cell(VirtioPciRegisters.QUEUE_SELECT, () -> selected, v -> selected = (int) v);
    }

    private void defineQueue() {
        queueCell(VirtioPciRegisters.QUEUE_SIZE, q -> q.size, Queue::setSize);
        queueCell(VirtioPciRegisters.QUEUE_MSIX_VECTOR, q -> q.vector, (q, v) -> q.vector = existingVector(v));
        queueCell(VirtioPciRegisters.QUEUE_ENABLE, q -> q.enabled ? 1 : 0, this::enable);
        queueCell(VirtioPciRegisters.QUEUE_NOTIFY_OFF, q -> selected, (q, v) -> {});
        queueCell(
                VirtioPciRegisters.QUEUE_DESC_LOW, q -> q.descriptors, (q, v) -> q.descriptors = low(q.descriptors, v));
        queueCell(
                VirtioPciRegisters.QUEUE_DESC_HIGH,
                q -> q.descriptors >>> Integer.SIZE,
                (q, v) -> q.descriptors = high(q.descriptors, v));
        queueCell(VirtioPciRegisters.QUEUE_DRIVER_LOW, q -> q.driver, (q, v) -> q.driver = low(q.driver, v));
        queueCell(
                VirtioPciRegisters.QUEUE_DRIVER_HIGH,
                q -> q.driver >>> Integer.SIZE,
                (q, v) -> q.driver = high(q.driver, v));
        queueCell(VirtioPciRegisters.QUEUE_DEVICE_LOW, q -> q.device, (q, v) -> q.device = low(q.device, v));
        queueCell(
                VirtioPciRegisters.QUEUE_DEVICE_HIGH,
                q -> q.device >>> Integer.SIZE,
                (q, v) -> q.device = high(q.device, v));
        queueCell(VirtioPciRegisters.QUEUE_RESET, q -> 0, this::resetQueue);
    }

    private void cell(Register register, LongSupplier value, LongConsumer effect) {
        cells.put(register, new Cell(value, effect));
    }

    /** A register of the queue that is selected; there may be none. */
    private void queueCell(Register register, ToLongFunction<Queue> value, ObjLongConsumer<Queue> effect) {
        cell(register, () -> selected < queues.length ? value.applyAsLong(queues[selected]) : 0, v -> {
            if (selected < queues.length) {
                effect.accept(queues[selected], v);
            }
        });
    }

    private static long half(long word, long select) {
        return select == 0 ? word & LOW_HALF : select == 1 ? word >>> Integer.SIZE : 0;
    }

    private static long low(long word, long value) {
        return (word & ~LOW_HALF) | value;
    }

    private static long high(long word, long value) {
        return (word & LOW_HALF) | (value << Integer.SIZE);
    }

    private int existingVector(long wanted) {
        // One for each queue, and one for the configuration.
        return wanted <= queues.length ? (int) wanted : NO_VECTOR;
    }

    private void accept(long value) {
        // Once the driver has said that this is all, it cannot change.
        if (!VirtioStatus.FEATURES_OK.isSet(status)) {
            accepted = driverSelect == 0 ? low(accepted, value) : driverSelect == 1 ? high(accepted, value) : accepted;
        }
    }

    private void setStatus(long value) {
        if (value == 0) {
            reset();
            return;
        }
        boolean agreed = (accepted & ~offered) == 0 && (accepted & VirtioFeature.VERSION_1) != 0;
        boolean starts = agreed && !VirtioStatus.DRIVER_OK.isSet(status);
        // Only a reset clears bits.
        status |= agreed ? value : VirtioStatus.FEATURES_OK.set(VirtioStatus.DRIVER_OK.set(value, 0), 0);
        if (starts && VirtioStatus.DRIVER_OK.isSet(status)) {
            control.start(accepted);
            for (int i = 0; i < queues.length; i++) {
                if (queues[i].enabled) {
                    control.enable(i, queues[i].addresses(), accepted);
                }
            }
        }
    }

    private void enable(Queue queue, long value) {
        if (value != 1 || queue.enabled || !VirtioStatus.FEATURES_OK.isSet(status)) {
            return;
        }
        queue.enabled = true;
        if (VirtioStatus.DRIVER_OK.isSet(status)) {
            control.enable(selected, queue.addresses(), accepted);
        }
    }

    private void resetQueue(Queue queue, long value) {
        if (value == 1 && (accepted & VirtioFeature.RING_RESET) != 0) {
            control.disable(selected);
            queue.reset();
        }
    }

    int configurationVector() {
        return vector;
    }

    int queueVector(int queue) {
        return queues[queue].vector;
    }

    void configurationChanged() {
        generation = (generation + 1) & GENERATION_MASK;
    }

    /** Sets a bit of the status as the device does. */
    void raiseStatus(Field bit) {
        if (status != 0) {
            status |= bit.mask();
        }
    }

    void reset() {
        status = 0;
        deviceSelect = 0;
        driverSelect = 0;
        accepted = 0;
        vector = NO_VECTOR;
        selected = 0;
        for (Queue queue : queues) {
            queue.reset();
        }
        control.reset();
    }

    /** Reads what registers there are in a range, of any width. */
    long read(long offset, int widthBytes) {
        long value = 0;
        for (Map.Entry<Register, Cell> cell : cells.entrySet()) {
            Register register = cell.getKey();
            long shift = (register.offset() - offset) * Byte.SIZE;
            if (shift > -register.widthBits() && shift < (long) widthBytes * Byte.SIZE) {
                long part = cell.getValue().value.getAsLong() & ones(register.widthBits());
                value |= shift >= 0 ? part << shift : part >>> -shift;
            }
        }
        return value;
    }

    /** Writes a register in its own width, or two halves at once; all else has no effect. */
    void write(long offset, int widthBytes, long value) {
        if (widthBytes == Long.BYTES) {
            write(offset, Integer.BYTES, value);
            write(offset + Integer.BYTES, Integer.BYTES, value >>> Integer.SIZE);
            return;
        }
        for (Map.Entry<Register, Cell> cell : cells.entrySet()) {
            Register register = cell.getKey();
            if (register.offset() == offset && register.widthBytes() == widthBytes) {
                cell.getValue().effect.accept(value & ones(register.widthBits()));
                return;
            }
        }
    }

    private static long ones(int bits) {
        return -1L >>> (Long.SIZE - bits);
    }
}
