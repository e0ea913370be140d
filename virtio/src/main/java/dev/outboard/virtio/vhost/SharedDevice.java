package dev.outboard.virtio.vhost;

import dev.outboard.linux.Epoll;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.vhostuser.BackendRequest;
import dev.outboard.specs.vhostuser.ProtocolFeature;
import dev.outboard.specs.vhostuser.Request;
import dev.outboard.specs.vhostuser.VhostUser;
import dev.outboard.specs.virtio.VirtioDeviceType;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.specs.virtio.VirtioStatus;
import dev.outboard.virtio.DeviceQueue;
import dev.outboard.virtio.QueueEvents;
import dev.outboard.virtio.VirtioDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The device as one front end has set it up: what was agreed on, the memory, the queues. */
final class SharedDevice implements QueueEvents {
    private static final System.Logger LOG = System.getLogger(SharedDevice.class.getName());

    /** RFC 791: the least that a host takes; and what the length of a packet can say. */
    private static final int LEAST_MTU = 68;

    private static final int GREATEST_MTU = 65_535;

    private static final long PROTOCOL_FEATURES = ProtocolFeature.MQ.mask()
            | ProtocolFeature.REPLY_ACK.mask()
            | ProtocolFeature.BACKEND_REQ.mask()
            | ProtocolFeature.CONFIG.mask()
            | ProtocolFeature.RESET_DEVICE.mask()
            | ProtocolFeature.CONFIGURE_MEM_SLOTS.mask()
            | ProtocolFeature.STATUS.mask();
    private static final long IN_BAND_NEEDS = ProtocolFeature.BACKEND_REQ.mask() | ProtocolFeature.REPLY_ACK.mask();

    private final VirtioDevice device;
    private final long offeredProtocolFeatures;
    // Device addresses are the guest's: there is no IOMMU between.
    private final long withheldFeatures;
    private final FrontEndMemory memory = new FrontEndMemory();
    private final List<DeviceQueue> queues = new ArrayList<>();
    private final List<Vring> vrings = new ArrayList<>();
    private long features;
    private long protocolFeatures;
    private long status;
    private boolean running;
    private @Nullable BackendChannel channel;

    SharedDevice(VirtioDevice device, VhostUserOptions options, Epoll epoll, long firstKick) {
        this.device = device;
        withheldFeatures = options.withheldFeatures() | VirtioFeature.ACCESS_PLATFORM;
        offeredProtocolFeatures = PROTOCOL_FEATURES
                | (options.inBandNotifications() ? ProtocolFeature.INBAND_NOTIFICATIONS.mask() : 0)
                | (isNetwork() ? ProtocolFeature.MTU.mask() : 0);
        for (int i = 0; i < device.queueCount(); i++) {
            DeviceQueue queue = new DeviceQueue(i, memory, this);
            queues.add(queue);
            vrings.add(new Vring(queue, epoll, firstKick + i));
        }
    }

    long offeredFeatures() {
        return (device.features()
                        | DeviceQueue.FEATURES
                        | VirtioFeature.VERSION_1
                        | VhostUser.FEATURE_PROTOCOL_FEATURES)
                & ~withheldFeatures;
    }

    long offeredProtocolFeatures() {
        return offeredProtocolFeatures;
    }

    boolean hasAgreedOn(ProtocolFeature feature) {
        return feature.isIn(protocolFeatures);
    }

    private boolean isNetwork() {
        return device.type() == VirtioDeviceType.NETWORK;
    }

    int queueCount() {
        return vrings.size();
    }

    /** For network cards the number of pairs is meant. */
    int queueNumber() {
        return isNetwork() ? vrings.size() / 2 : vrings.size();
    }

    Vring vring(int queue) {
        return vrings.get(queue);
    }

    void setFeatures(long agreed) throws RefusedException {
        if ((agreed & ~offeredFeatures()) != 0) {
            throw new RefusedException("features that were not offered: 0x" + Long.toHexString(agreed));
        }
        if ((agreed & VirtioFeature.VERSION_1) == 0) {
            throw new RefusedException("the device is no legacy device; the driver must take VIRTIO_F_VERSION_1");
        }
        if (agreed == features) {
            return;
        }
        if (queues.stream().anyMatch(DeviceQueue::isEnabled)) {
            throw new RefusedException("features cannot change while queues are in use");
        }
        resetDevice();
        features = agreed;
    }

    void setProtocolFeatures(long agreed) throws RefusedException {
        if ((agreed & ~offeredProtocolFeatures) != 0) {
            throw new RefusedException("protocol features that were not offered: 0x" + Long.toHexString(agreed));
        }
        if (ProtocolFeature.INBAND_NOTIFICATIONS.isIn(agreed) && (agreed & IN_BAND_NEEDS) != IN_BAND_NEEDS) {
            throw new RefusedException("in-band notifications take REPLY_ACK and BACKEND_REQ");
        }
        protocolFeatures = agreed;
    }

    void setMemory(List<StructView> regions, List<Fd> files) throws RefusedException {
        memory.clear();
        for (int i = 0; i < regions.size(); i++) {
            memory.add(regions.get(i), files.get(i));
        }
        updateAll();
    }

    void addMemory(StructView region, Fd file) throws RefusedException {
        memory.add(region, file);
        updateAll();
    }

    void removeMemory(StructView region) throws RefusedException {
        memory.remove(region);
    }

    void setQueueSize(int queue, long size) throws RefusedException {
        int maximum = device.maximumQueueSize(queue);
        vring(queue).setSize((int) Math.min(size, Integer.MAX_VALUE), maximum);
    }

    void setAddresses(int queue, StructView asked) throws RefusedException {
        vring(queue).setAddresses(asked);
        update(queue);
    }

    void setEnabled(int queue, long enabled) throws RefusedException {
        // QEMU enables the queues of a network card before it agrees on features.
        if (enabled > 1) {
            throw new RefusedException("queue " + queue + " is to be enabled by " + enabled);
        }
        vring(queue).setEnabled(enabled == 1);
        update(queue);
    }

    void setEvent(Request request, int queue, @Nullable Fd fd) throws RefusedException, LinuxException {
        switch (request) {
            case SET_VRING_CALL -> vring(queue).setCall(fd == null ? null : EventFd.of(fd));
            case SET_VRING_ERR -> vring(queue).setError(fd == null ? null : EventFd.of(fd));
            default -> {
                vring(queue).setKick(fd);
                update(queue);
            }
        }
    }

    void kick(int queue) throws RefusedException {
        Vring vring = vring(queue);
        if (!vring.isStarted()) {
            vring.start();
            update(queue);
        }
    }

    private void updateAll() throws RefusedException {
        for (int i = 0; i < vrings.size(); i++) {
            update(i);
        }
    }

    private void update(int queue) throws RefusedException {
        vring(queue).update(memory, features);
        if (!running && queues.get(queue).isEnabled()) {
            running = true;
            device.start(features, queues, this::configurationChanged);
        }
    }

    /** Stops a queue; returns where it is to go on. */
    int stop(int queue) throws LinuxException {
        return vring(queue).stop();
    }

    void setChannel(BackendChannel given) {
        closeChannel();
        channel = given;
    }

    private void configurationChanged() {
        BackendChannel current = channel;
        if (current != null && hasAgreedOn(ProtocolFeature.CONFIG)) {
            current.send(BackendRequest.CONFIG_CHANGE_MSG);
        }
    }

    @Override
    public void used(int queue) {
        if (!vring(queue).call()) {
            notifyInBand(BackendRequest.VRING_CALL, queue);
        }
    }

    @Override
    public void broken(int queue, String reason) {
        LOG.log(System.Logger.Level.WARNING, "{0}; it is not used any more", reason);
        status |= VirtioStatus.DEVICE_NEEDS_RESET.mask();
        if (!vring(queue).fail()) {
            notifyInBand(BackendRequest.VRING_ERR, queue);
        }
    }

    private void notifyInBand(BackendRequest request, int queue) {
        BackendChannel current = channel;
        if (current != null && hasAgreedOn(ProtocolFeature.INBAND_NOTIFICATIONS)) {
            current.send(request, queue);
        }
    }

    void readConfiguration(long offset, MemorySegment target) {
        for (long i = 0; i < target.byteSize(); i++) {
            target.set(ValueLayout.JAVA_BYTE, i, (byte) device.readConfiguration(offset + i, Byte.BYTES));
        }
    }

    /** Writes in pieces as wide as their place allows, as a driver that writes a field does. */
    void writeConfiguration(long offset, MemorySegment source) {
        long length = source.byteSize();
        for (long done = 0; done < length; ) {
            long at = offset + done;
            long widest = Math.min(Long.BYTES, Long.highestOneBit(length - done));
            int width = (int) (at == 0 ? widest : Math.min(widest, Long.lowestOneBit(at)));
            long value = 0;
            for (int i = 0; i < width; i++) {
                value |= Byte.toUnsignedLong(source.get(ValueLayout.JAVA_BYTE, done + i)) << (i * Byte.SIZE);
            }
            device.writeConfiguration(at, width, value);
            done += width;
        }
    }

    void setMtu(long mtu) throws RefusedException {
        if (mtu < LEAST_MTU || mtu > GREATEST_MTU) {
            throw new RefusedException("packets of " + mtu + " bytes");
        }
    }

    long status() {
        return status;
    }

    void setStatus(long written) throws RefusedException, LinuxException {
        if (written == 0) {
            reset();
        } else if ((written & ~0xffL) != 0) {
            throw new RefusedException("a device status of 0x" + Long.toHexString(written));
        } else {
            status = written | (status & VirtioStatus.DEVICE_NEEDS_RESET.mask());
        }
    }

    /** Back to where nothing is in use; the memory, what was agreed on and the descriptors for calls stay. */
    void reset() throws LinuxException {
        for (Vring vring : vrings) {
            vring.reset();
        }
        resetDevice();
    }

    private void resetDevice() {
        status = 0;
        if (running) {
            running = false;
            device.reset();
        }
    }

    /** Does what there is to do; returns how much that was. */
    int doWork() {
        return running ? device.doWork() : 0;
    }

    /** Whether there may be work that nobody tells of. */
    boolean polls() {
        return running && (device.polls() || vrings.stream().anyMatch(Vring::isPolled));
    }

    /** Asks drivers to tell of new requests, or not to. Returns whether there are some already. */
    boolean setNotifying(boolean wanted) {
        boolean pending = false;
        for (int i = 0; i < queues.size(); i++) {
            DeviceQueue queue = queues.get(i);
            queue.setNotifying(wanted);
            pending |= queue.isPending();
        }
        return pending;
    }

    private void closeChannel() {
        BackendChannel old = channel;
        if (old != null) {
            channel = null;
            old.close();
        }
    }

    /** Nothing of the front end's remains. */
    void close() throws LinuxException {
        for (Vring vring : vrings) {
            vring.close();
        }
        resetDevice();
        closeChannel();
        memory.clear();
    }
}
