package dev.outboard.emulation.virtio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.outboard.specs.virtio.VirtioDeviceType;
import dev.outboard.specs.virtio.VirtioNet;
import dev.outboard.virtio.DescriptorChain;
import dev.outboard.virtio.DeviceQueue;
import dev.outboard.virtio.VirtioDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A virtio network card at one end of a cable: pairs of queues, buffers that are merged, and a control queue with which
 * the driver says what it wants to receive. It cuts and sums nothing. VIRTIO 1.2, 5.1.
 *
 * <p>A frame that is too short or too long, or that there is no buffer for, is lost; a request that is none breaks its
 * queue.
 */
public final class VirtioNetModel implements VirtioDevice {
    private static final System.Logger LOG = System.getLogger(VirtioNetModel.class.getName());

    private static final int ETHERNET_HEADER_BYTES = 14;
    private static final int VLAN_TAG_BYTES = 4;
    private static final int MOST_MERGED = 32;
    private static final int FRAMES_A_TURN = 64;
    private static final int NO_FRAME = 0;
    // Where the addresses and ports of IPv4 without options are, from which the pair of a frame follows.
    private static final int FLOW_START = 26;
    private static final int FLOW_END = 38;

    private final VirtioNetOptions options;
    private final NetworkLink link;
    private final ConfigurationBytes configuration = new ConfigurationBytes(VirtioNet.CONFIGURATION_BYTES);
    private final ReceiveFilter filter = new ReceiveFilter();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment outgoing;
    private final MemorySegment incoming;
    private final MemorySegment header = arena.allocate(VirtioNet.HEADER_BYTES, Long.BYTES);
    private List<DeviceQueue> queues = List.of();
    private DescriptorChain[] chains = {};
    private ControlQueue control;
    private boolean merging;
    private boolean hasControl;
    private int pairs = 1;
    private int incomingBytes = NO_FRAME;

    /**
     * A card that was just reset.
     *
     * @param options what it shall be
     * @param link where its cable leads; closed with the card
     */
    public VirtioNetModel(VirtioNetOptions options, NetworkLink link) {
        this.options = options;
        this.link = link;
        int longest = options.mtu() + ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES;
        outgoing = arena.allocate(longest, Long.BYTES);
        incoming = arena.allocate(longest, Long.BYTES);
        configuration.put(VirtioNet.STATUS, VirtioNet.STATUS_LINK_UP.mask());
        configuration.put(VirtioNet.MAX_VIRTQUEUE_PAIRS, options.queuePairs());
        configuration.put(VirtioNet.MTU, options.mtu());
        control = new ControlQueue(filter, options.queuePairs(), arena);
        reset();
    }

    @Override
    public int type() {
        return VirtioDeviceType.NETWORK;
    }

    @Override
    public long features() {
        return VirtioNet.FEATURE_MTU
                | VirtioNet.FEATURE_MAC
                | VirtioNet.FEATURE_STATUS
                | VirtioNet.FEATURE_CTRL_VQ
                | VirtioNet.FEATURE_CTRL_RX
                | VirtioNet.FEATURE_CTRL_RX_EXTRA
                | VirtioNet.FEATURE_CTRL_VLAN
                | VirtioNet.FEATURE_CTRL_MAC_ADDR
                | (options.mergeable() ? VirtioNet.FEATURE_MRG_RXBUF : 0)
                | (options.queuePairs() > 1 ? VirtioNet.FEATURE_MQ : 0);
    }

    @Override
    public int queueCount() {
        return options.queuePairs() * VirtioNet.QUEUES_A_PAIR + 1;
    }

    @Override
    public int maximumQueueSize(int queue) {
        return options.queueSize();
    }

    @Override
    public int configurationBytes() {
        return configuration.sizeBytes();
    }

    @Override
    public long readConfiguration(long offset, int widthBytes) {
        return configuration.read(offset, widthBytes);
    }

    @Override
    public void writeConfiguration(long offset, int widthBytes, long value) {
        // All of it is the device's to say; the address is set by a command.
    }

    @Override
    public void start(long features, List<DeviceQueue> all, Runnable configurationChanged) {
        merging = (features & VirtioNet.FEATURE_MRG_RXBUF) != 0;
        hasControl = (features & VirtioNet.FEATURE_CTRL_VQ) != 0;
        // Without several pairs the control queue follows the first pair, however many there could be. 5.1.2.
        boolean several = (features & VirtioNet.FEATURE_MQ) != 0;
        control.start(all.get(several ? all.size() - 1 : VirtioNet.QUEUES_A_PAIR));
        filter.reset(options.macBytes(), (features & VirtioNet.FEATURE_CTRL_VLAN) != 0);
        pairs = 1;
        chains = new DescriptorChain[MOST_MERGED];
        for (int i = 0; i < chains.length; i++) {
            chains[i] = new DescriptorChain(all.getFirst().memory());
        }
        queues = List.copyOf(all);
    }

    @Override
    public void reset() {
        queues = List.of();
        incomingBytes = NO_FRAME;
        byte[] mac = options.macBytes();
        for (int i = 0; i < mac.length; i++) {
            configuration.put(VirtioNet.MAC.at(i), mac[i]);
        }
    }

    @Override
    public boolean polls() {
        return link.polls();
    }

    @Override
    public int doWork() {
        if (queues.isEmpty()) {
            return 0;
        }
        try {
            int work = hasControl ? serveControl() : 0;
            for (int pair = 0; pair < pairs; pair++) {
                work += send(queues.get(pair * VirtioNet.QUEUES_A_PAIR + VirtioNet.TRANSMIT_QUEUE));
            }
            return work + receive();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "the link of a virtio network card broke", e);
            queues.getFirst().fail("the link broke: " + e.getMessage());
            queues = List.of();
            return 0;
        }
    }

    private int serveControl() {
        int done = control.doWork();
        if (done > 0) {
            pairs = control.pairs();
            for (int i = 0; i < VirtioNet.MAC_BYTES; i++) {
                configuration.put(VirtioNet.MAC.at(i), control.macByte(i, configuration.read(i, 1)));
            }
        }
        return done;
    }

    private int send(DeviceQueue queue) throws IOException {
        DescriptorChain chain = chains[0];
        int frames = 0;
        while (frames < FRAMES_A_TURN && queue.take(chain)) {
            long length = chain.readableBytes() - VirtioNet.HEADER_BYTES;
            if (length < 0) {
                queue.fail("a frame without a header");
                return frames;
            }
            if (length >= ETHERNET_HEADER_BYTES
                    && length <= outgoing.byteSize()
                    && chain.read(VirtioNet.HEADER_BYTES, outgoing, 0, length)) {
                link.send(outgoing, 0, (int) length);
            }
            queue.complete(chain, 0);
            frames++;
        }
        if (frames > 0) {
            queue.publish();
        }
        return frames;
    }

    private int receive() throws IOException {
        int frames = 0;
        long touched = 0;
        while (frames < FRAMES_A_TURN) {
            if (incomingBytes == NO_FRAME) {
                incomingBytes = link.receive(incoming);
                if (incomingBytes == NO_FRAME) {
                    break;
                }
            }
            int pair = pairs == 1 ? 0 : flow() % pairs;
            boolean wanted = incomingBytes >= ETHERNET_HEADER_BYTES && filter.accepts(incoming, incomingBytes);
            if (wanted && !deliver(queues.get(pair * VirtioNet.QUEUES_A_PAIR + VirtioNet.RECEIVE_QUEUE))) {
                break;
            }
            touched |= wanted ? 1L << pair : 0;
            incomingBytes = NO_FRAME;
            frames++;
        }
        for (long left = touched; left != 0; left &= left - 1) {
            int pair = Long.numberOfTrailingZeros(left);
            queues.get(pair * VirtioNet.QUEUES_A_PAIR + VirtioNet.RECEIVE_QUEUE).publish();
        }
        return frames;
    }

    private int flow() {
        int hash = 0;
        for (int at = FLOW_START; at < Math.min(FLOW_END, incomingBytes); at++) {
            hash = hash * 31 + incoming.get(JAVA_BYTE, at);
        }
        return (hash ^ hash >>> Short.SIZE) & Integer.MAX_VALUE;
    }

    /** Puts the frame into buffers; false if there are none yet, so that it waits. */
    private boolean deliver(DeviceQueue queue) {
        int position = queue.position();
        long wanted = VirtioNet.HEADER_BYTES + (long) incomingBytes;
        long room = 0;
        int taken = 0;
        while (room < wanted && taken < (merging ? MOST_MERGED : 1)) {
            DescriptorChain chain = chains[taken];
            if (!queue.take(chain)) {
                queue.rewind(position);
                return false;
            }
            if (chain.writableBytes() < VirtioNet.HEADER_BYTES) {
                queue.fail("a buffer to receive into of " + chain.writableBytes() + " bytes");
                return false;
            }
            room += chain.writableBytes();
            taken++;
        }
        if (room < wanted) {
            // The driver chose buffers that are too small: this frame is lost, they are not.
            queue.rewind(position);
            return true;
        }
        fill(queue, taken);
        return true;
    }

    private void fill(DeviceQueue queue, int taken) {
        header.set(JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN), VirtioNet.HEADER_NUM_BUFFERS, (short) taken);
        long done = 0;
        for (int i = 0; i < taken; i++) {
            DescriptorChain chain = chains[i];
            long start = i == 0 ? VirtioNet.HEADER_BYTES : 0;
            long part = Math.min(chain.writableBytes() - start, incomingBytes - done);
            boolean written = (i > 0 || chain.write(0, header, 0, VirtioNet.HEADER_BYTES))
                    && chain.write(start, incoming, done, part);
            if (!written) {
                queue.fail("a buffer to receive into where there is no memory");
                return;
            }
            queue.complete(chain, start + part);
            done += part;
        }
    }

    @Override
    public void close() {
        link.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
