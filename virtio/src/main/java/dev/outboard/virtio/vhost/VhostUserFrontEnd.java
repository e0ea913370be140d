package dev.outboard.virtio.vhost;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaAllocator.AddressRange;
import dev.outboard.memory.Register;
import dev.outboard.specs.vhostuser.ProtocolFeature;
import dev.outboard.specs.vhostuser.Request;
import dev.outboard.specs.vhostuser.VhostUser;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.specs.virtio.VirtioStatus;
import dev.outboard.virtio.DriverQueue;
import dev.outboard.virtio.QueueAddresses;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A virtio device that another process serves over vhost-user, as its driver sees it: reset, its features agreed on,
 * ready for its queues. The other side may be {@link VhostUserBackend}, qemu-storage-daemon, DPDK.
 *
 * <p>The driver creates the queues that it wants, then {@linkplain #start starts} the device. One thread sets it up; its
 * queues then belong to one thread each.
 */
public final class VhostUserFrontEnd implements AutoCloseable {
    private static final long PROTOCOL_FEATURES = ProtocolFeature.MQ.mask()
            | ProtocolFeature.REPLY_ACK.mask()
            | ProtocolFeature.CONFIG.mask()
            | ProtocolFeature.CONFIGURE_MEM_SLOTS.mask()
            | ProtocolFeature.STATUS.mask();
    /** Any range will do: the addresses are only numbers, of which the back end is told. */
    private static final List<AddressRange> ADDRESSES = List.of(new AddressRange(1L << 32, (1L << 46) - 1));
    /** Both counters of a packed ring are 1 at first. */
    private static final int PACKED_BASE = 0x8000_8000;

    private final Path path;
    private final VhostUserConnection connection;
    private final SharedMemory memory;
    private final DmaAllocator dma;
    private final List<FrontEndQueue> queues = new ArrayList<>();
    private long protocolFeatures;
    private long features;
    private boolean enables;
    private boolean closed;

    private VhostUserFrontEnd(Path path, VhostUserConnection connection, long wanted) throws IOException {
        this.path = path;
        this.connection = connection;
        negotiate(wanted);
        memory = new SharedMemory(connection, has(ProtocolFeature.CONFIGURE_MEM_SLOTS));
        dma = new DmaAllocator(memory, ADDRESSES);
    }

    /**
     * Connects to a back end, and agrees with it on features.
     *
     * @param path where it listens
     * @param wanted the features that the driver knows; {@link VirtioFeature#VERSION_1} comes by itself
     * @return the device, without queues
     * @throws IOException if nobody listens there, or the device is older than VIRTIO 1.0
     */
    public static VhostUserFrontEnd connect(Path path, long wanted) throws IOException {
        VhostUserConnection connection = new VhostUserConnection(path.toString(), UnixSocket.connect(path.toString()));
        try {
            return new VhostUserFrontEnd(path, connection, wanted);
        } catch (IOException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    private void negotiate(long wanted) throws IOException {
        long offered = connection.askNumber(Request.GET_FEATURES);
        enables = (offered & VhostUser.FEATURE_PROTOCOL_FEATURES) != 0;
        if (enables) {
            protocolFeatures = connection.askNumber(Request.GET_PROTOCOL_FEATURES) & PROTOCOL_FEATURES;
            connection.tell(Request.SET_PROTOCOL_FEATURES, number(protocolFeatures), List.of());
            if (has(ProtocolFeature.REPLY_ACK)) {
                connection.acknowledge();
            }
        }
        connection.tell(Request.SET_OWNER, new byte[0], List.of());
        if ((offered & VirtioFeature.VERSION_1) == 0) {
            throw new DeviceException(
                    "the device at " + path + " does not offer VIRTIO_F_VERSION_1 (its features are 0x"
                            + Long.toHexString(offered) + "): it is older than this driver");
        }
        features = offered & (wanted | VirtioFeature.VERSION_1);
        connection.tell(
                Request.SET_FEATURES,
                number(features | (enables ? VhostUser.FEATURE_PROTOCOL_FEATURES : 0)),
                List.of());
    }

    private boolean has(ProtocolFeature feature) {
        return feature.isIn(protocolFeatures);
    }

    static byte[] number(long value) {
        byte[] bytes = new byte[Long.BYTES];
        MemorySegment.ofArray(bytes).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
        return bytes;
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
     * Memory that the device reaches.
     *
     * @return its allocator
     */
    public DmaAllocator dma() {
        return dma;
    }

    /**
     * Reads the device's own configuration.
     *
     * @param register the register
     * @return its value, zero-extended
     * @throws IOException if the back end does not tell
     */
    public long read(Register register) throws IOException {
        if (!has(ProtocolFeature.CONFIG)) {
            throw new DeviceException("the back end at " + path + " does not tell of the device's configuration");
        }
        StructView asked = VhostUser.CONFIGURATION.view(
                MemorySegment.ofArray(new byte[(int) VhostUser.CONFIGURATION.byteSize() + register.widthBytes()]));
        asked.set("offset", register.offset()).set("size", register.widthBytes());
        byte[] request = asked.segment().toArray(ValueLayout.JAVA_BYTE);
        byte[] reply = connection.ask(Request.GET_CONFIG, request);
        if (reply.length != request.length) {
            throw new DeviceException("the back end at " + path + " does not tell " + register.name());
        }
        long value = 0;
        for (int i = 0; i < register.widthBytes(); i++) {
            value |= Byte.toUnsignedLong(reply[(int) VhostUser.CONFIGURATION.byteSize() + i]) << (i * Byte.SIZE);
        }
        return value;
    }

    /**
     * Creates a queue, before the device is {@linkplain #start started}.
     *
     * @param index which queue, from 0
     * @param descriptors how many descriptors it shall have, a power of two; the device may take fewer than any
     * @param maximumBuffers the most buffers of a request
     * @return the queue
     * @throws IOException if the device has no such queue, or there is no memory
     */
    public FrontEndQueue createQueue(int index, int descriptors, int maximumBuffers) throws IOException {
        DriverQueue ring = DriverQueue.create(
                dma, "vhost-user:" + path + " queue " + index, descriptors, features, maximumBuffers);
        FrontEndQueue queue = new FrontEndQueue(index, ring, connection);
        queues.add(queue);
        QueueAddresses at = ring.addresses();
        boolean packed = (features & VirtioFeature.RING_PACKED) != 0;
        tell(Request.SET_VRING_NUM, index, at.size());
        tell(Request.SET_VRING_BASE, index, packed ? PACKED_BASE : 0);
        StructView address = VhostUser.VRING_ADDRESS
                .view(MemorySegment.ofArray(new byte[(int) VhostUser.VRING_ADDRESS.byteSize()]))
                .set("index", index)
                .set("descriptor", at.descriptors())
                .set("available", at.driver())
                .set("used", at.device());
        connection.tell(Request.SET_VRING_ADDR, address.segment().toArray(ValueLayout.JAVA_BYTE), List.of());
        connection.tell(
                Request.SET_VRING_CALL, number(index), List.of(queue.call().fd()));
        return queue;
    }

    private void tell(Request request, int queue, int number) throws IOException {
        connection.tell(request, state(queue, number), List.of());
    }

    private static byte[] state(int queue, int number) {
        return VhostUser.VRING_STATE
                .view(MemorySegment.ofArray(new byte[(int) VhostUser.VRING_STATE.byteSize()]))
                .set("index", queue)
                .set("num", Integer.toUnsignedLong(number))
                .segment()
                .toArray(ValueLayout.JAVA_BYTE);
    }

    /**
     * Starts the device: requests are served from now on.
     *
     * @throws IOException if it does not start
     */
    public void start() throws IOException {
        for (FrontEndQueue queue : queues) {
            connection.tell(
                    Request.SET_VRING_KICK,
                    number(queue.index()),
                    List.of(queue.kick().fd()));
            if (enables) {
                tell(Request.SET_VRING_ENABLE, queue.index(), 1);
            }
        }
        if (has(ProtocolFeature.STATUS)) {
            long status = VirtioStatus.ACKNOWLEDGE.mask()
                    | VirtioStatus.DRIVER.mask()
                    | VirtioStatus.FEATURES_OK.mask()
                    | VirtioStatus.DRIVER_OK.mask();
            connection.tell(Request.SET_STATUS, number(status), List.of());
        }
    }

    /**
     * Finds out whether the back end is still there. A system call: not for each poll.
     *
     * @throws IOException if it is not
     */
    public void checkPresent() throws IOException {
        connection.checkPresent();
    }

    /** Stops the queues, and gives back what there is. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            for (FrontEndQueue queue : queues) {
                // Once it has answered, the device does not touch the queue's memory any more.
                connection.ask(Request.GET_VRING_BASE, state(queue.index(), 0));
            }
        } catch (IOException gone) {
            // It has unmapped everything.
        }
        // First the connection: memory that may still be used must not serve anything else.
        connection.close();
        queues.forEach(FrontEndQueue::close);
        dma.close();
        memory.close();
    }

    @Override
    public String toString() {
        return "vhost-user:" + path;
    }
}
