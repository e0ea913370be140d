package dev.outboard.emulation.virtio;

import static dev.outboard.specs.virtio.VirtioPciRegisters.COMMON_BYTES;
import static dev.outboard.specs.virtio.VirtioPciRegisters.COMMON_CFG;
import static dev.outboard.specs.virtio.VirtioPciRegisters.DEVICE_CFG;
import static dev.outboard.specs.virtio.VirtioPciRegisters.ISR_CFG;
import static dev.outboard.specs.virtio.VirtioPciRegisters.ISR_CONFIGURATION;
import static dev.outboard.specs.virtio.VirtioPciRegisters.ISR_QUEUE;
import static dev.outboard.specs.virtio.VirtioPciRegisters.NOTIFY_CFG;
import static dev.outboard.specs.virtio.VirtioPciRegisters.NO_VECTOR;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.PciModel;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.specs.virtio.VirtioDeviceType;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.specs.virtio.VirtioPciRegisters;
import dev.outboard.specs.virtio.VirtioStatus;
import dev.outboard.virtio.DeviceQueue;
import dev.outboard.virtio.QueueAddresses;
import dev.outboard.virtio.QueueEvents;
import dev.outboard.virtio.VirtioDevice;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A virtio device behind PCI, without what there was before VIRTIO 1.0: its structures in BAR 0, MSI-X, one vector for
 * each queue and one for the configuration, or INTx. VIRTIO 1.2, 4.1.
 *
 * <p>While there is work the queues are polled, and the driver is told not to notify; after a millisecond without any it
 * is told to notify again, and the server can sleep.
 */
public final class VirtioPciModel extends PciModel {
    /** The features that every device behind this transport offers. */
    public static final long TRANSPORT_FEATURES =
            VirtioFeature.VERSION_1 | VirtioFeature.ACCESS_PLATFORM | VirtioFeature.RING_RESET | DeviceQueue.FEATURES;

    private static final System.Logger LOG = System.getLogger(VirtioPciModel.class.getName());

    private static final long COMMON = 0x0000;
    private static final long ISR = 0x1000;
    private static final long DEVICE = 0x2000;
    private static final long NOTIFY = 0x3000;
    private static final long BAR_BYTES = 0x4000;
    private static final int STRUCTURE_BYTES = 0x1000;
    private static final int NOTIFY_MULTIPLIER = 4;
    private static final int MOST_QUEUES = 128;
    private static final int SUBSYSTEM_ID = 0x1100;
    private static final int CLASS_SCSI_STORAGE = 0x010000;
    private static final int CLASS_ETHERNET = 0x020000;
    private static final int CLASS_OTHER = 0x00ff00;

    private static final int IDLE_POLLS_BETWEEN_CLOCKS = 16;
    private static final long IDLE_NANOS = 1_000_000;

    private final VirtioDevice device;
    private final long offered;
    private final List<DeviceQueue> queues;
    private final CommonConfiguration common;
    private final EventFd kicks = EventFd.create();
    private long isr;
    private boolean started;
    /** Whether the driver notifies, so that the queues need not be polled. */
    private boolean notifying;

    private int idlePolls;
    private long idleSinceNanos;

    /**
     * A device that was just reset, with all features that it and this transport have.
     *
     * @param device the device; it is closed with the model
     * @throws LinuxException if there are no descriptors left
     */
    public VirtioPciModel(VirtioDevice device) throws LinuxException {
        this(device, 0);
    }

    /**
     * A device that was just reset.
     *
     * @param device the device; it is closed with the model
     * @param withheld features that it does not offer, although it could
     * @throws LinuxException if there are no descriptors left
     */
    public VirtioPciModel(VirtioDevice device, long withheld) throws LinuxException {
        super(identity(device), true, device.queueCount() + 1);
        if (device.queueCount() > MOST_QUEUES) {
            throw new IllegalArgumentException(device.queueCount() + " queues; there can be " + MOST_QUEUES);
        }
        this.device = device;
        offered = (TRANSPORT_FEATURES | device.features()) & ~withheld;
        List<DeviceQueue> created = new ArrayList<>();
        for (int i = 0; i < device.queueCount(); i++) {
            created.add(new DeviceQueue(i, dma(), new Events()));
        }
        queues = List.copyOf(created);
        common = new CommonConfiguration(device, offered, new Control());
        addStructure(COMMON_CFG, COMMON, COMMON_BYTES);
        addStructure(ISR_CFG, ISR, 1);
        addStructure(DEVICE_CFG, DEVICE, device.configurationBytes());
        addStructure(NOTIFY_CFG, NOTIFY, device.queueCount() * NOTIFY_MULTIPLIER);
        addBar(Bar.of(0, BAR_BYTES, new Bar0()));
    }

    /**
     * The device behind PCI, for who serves it in another way.
     *
     * @return the device, which this model closes
     */
    public VirtioDevice device() {
        return device;
    }

    /**
     * What the device does not offer, although it could.
     *
     * @return a mask of features
     */
    public long withheldFeatures() {
        return (TRANSPORT_FEATURES | device.features()) & ~offered;
    }

    private static Identity identity(VirtioDevice device) {
        int classCode = switch (device.type()) {
            case VirtioDeviceType.BLOCK -> CLASS_SCSI_STORAGE;
            case VirtioDeviceType.NETWORK -> CLASS_ETHERNET;
            default -> CLASS_OTHER;
        };
        return new Identity(
                VirtioPciRegisters.VENDOR_ID,
                VirtioPciRegisters.DEVICE_ID_BASE + device.type(),
                classCode,
                VirtioPciRegisters.REVISION,
                VirtioPciRegisters.VENDOR_ID,
                SUBSYSTEM_ID);
    }

    private void addStructure(int type, long offset, int lengthBytes) {
        int bytes =
                type == NOTIFY_CFG ? VirtioPciRegisters.NOTIFY_CAPABILITY_BYTES : VirtioPciRegisters.CAPABILITY_BYTES;
        ByteBuffer capability = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        capability.put((int) VirtioPciRegisters.CAPABILITY_LENGTH.offset(), (byte) bytes);
        capability.put((int) VirtioPciRegisters.CAPABILITY_TYPE.offset(), (byte) type);
        capability.putInt((int) VirtioPciRegisters.CAPABILITY_OFFSET.offset(), (int) offset);
        capability.putInt((int) VirtioPciRegisters.CAPABILITY_STRUCTURE_LENGTH.offset(), lengthBytes);
        if (type == NOTIFY_CFG) {
            capability.putInt((int) VirtioPciRegisters.NOTIFY_MULTIPLIER.offset(), NOTIFY_MULTIPLIER);
        }
        int header = (int) VirtioPciRegisters.CAPABILITY_LENGTH.offset();
        byte[] body = new byte[bytes - header];
        capability.get(header, body);
        addCapability(VirtioPciRegisters.CAPABILITY_VENDOR, body);
    }

    @Override
    protected void resetFunction() {
        common.reset();
    }

    @Override
    public boolean polls() {
        return started && isBusMaster() && (!notifying || device.polls());
    }

    /** A notification by the eventfd that clients may have instead of the register: it wakes the server. */
    @Override
    public Fd workDescriptor() {
        return kicks.fd();
    }

    @Override
    public IoEvents ioEvents() {
        return new IoEvents(0, kicks, List.of(new Bar.Area(NOTIFY, (long) queues.size() * NOTIFY_MULTIPLIER)));
    }

    private void takeKicks() {
        try {
            if (kicks.read() > 0) {
                notified();
            }
        } catch (LinuxException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public int doWork() {
        if (!started || notifying) {
            takeKicks();
        }
        if (!started || !isBusMaster()) {
            return 0;
        }
        int work = device.doWork();
        if (work > 0) {
            idlePolls = 0;
            if (notifying) {
                setNotifying(false);
            }
        } else if (!notifying && ++idlePolls % IDLE_POLLS_BETWEEN_CLOCKS == 0) {
            rest();
        }
        return work;
    }

    /** Nothing came for a while: if that goes on, has the driver notify. */
    private void rest() {
        long now = System.nanoTime();
        if (idlePolls == IDLE_POLLS_BETWEEN_CLOCKS) {
            takeKicks();
            idleSinceNanos = now;
        } else if (now - idleSinceNanos > IDLE_NANOS) {
            setNotifying(true);
            for (int i = 0; i < queues.size(); i++) {
                if (queues.get(i).isPending()) {
                    setNotifying(false);
                    return;
                }
            }
        }
    }

    private void setNotifying(boolean wanted) {
        notifying = wanted;
        idlePolls = 0;
        for (int i = 0; i < queues.size(); i++) {
            queues.get(i).setNotifying(wanted);
        }
    }

    @Override
    public void close() {
        super.close();
        device.close();
        kicks.close();
    }

    private void interrupt(int vector, long cause) {
        if (vector != NO_VECTOR) {
            if (isBusMaster()) {
                interrupts().raise(vector);
            }
        } else if (interrupts().isIntxConnected()) {
            isr |= cause;
            interrupts().assertIntx(true);
        }
    }

    private void configurationChanged() {
        common.configurationChanged();
        interrupt(common.configurationVector(), ISR_CONFIGURATION.mask());
    }

    private final class Events implements QueueEvents {
        @Override
        public void used(int queue) {
            interrupt(common.queueVector(queue), ISR_QUEUE.mask());
        }

        @Override
        public void broken(int queue, String reason) {
            LOG.log(System.Logger.Level.WARNING, "the driver has to reset the device: " + reason);
            common.raiseStatus(VirtioStatus.DEVICE_NEEDS_RESET);
            configurationChanged();
        }
    }

    /** What the common configuration has the device do. */
    private final class Control implements CommonConfiguration.Control {
        @Override
        public void enable(int queue, QueueAddresses at, long features) {
            queues.get(queue).enable(at, features);
            notifying = false;
            idlePolls = 0;
        }

        @Override
        public void disable(int queue) {
            queues.get(queue).disable();
        }

        @Override
        public void start(long features) {
            device.start(features, queues, VirtioPciModel.this::configurationChanged);
            started = true;
        }

        @Override
        public void reset() {
            started = false;
            isr = 0;
            interrupts().assertIntx(false);
            queues.forEach(DeviceQueue::disable);
            device.reset();
        }
    }

    /** Which queue it was does not matter: all are looked at. */
    private void notified() {
        if (started && notifying) {
            setNotifying(false);
        }
    }

    private final class Bar0 implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            long at = offset & (STRUCTURE_BYTES - 1);
            return switch ((int) (offset - at)) {
                case (int) COMMON -> common.read(at, widthBytes);
                case (int) ISR -> at == 0 ? takeIsr() : 0;
                case (int) DEVICE -> device.readConfiguration(at, widthBytes);
                default -> 0;
            };
        }

        private long takeIsr() {
            long causes = isr;
            isr = 0;
            interrupts().assertIntx(false);
            return causes;
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            long at = offset & (STRUCTURE_BYTES - 1);
            switch ((int) (offset - at)) {
                case (int) COMMON -> common.write(at, widthBytes, value);
                case (int) DEVICE -> device.writeConfiguration(at, widthBytes, value);
                case (int) NOTIFY -> notified();
                default -> {
                    // The interrupt status is for reading.
                }
            }
        }
    }
}
