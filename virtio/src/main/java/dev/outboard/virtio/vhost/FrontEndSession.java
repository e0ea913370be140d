package dev.outboard.virtio.vhost;

import dev.outboard.linux.Epoll;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Struct;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vhostuser.ProtocolFeature;
import dev.outboard.specs.vhostuser.Request;
import dev.outboard.specs.vhostuser.VhostUser;
import dev.outboard.virtio.VirtioDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One front end: takes its requests, carries them out, answers. Every number in a message is the word of a stranger.
 *
 * <p>A request that fails is answered with a number other than zero if the front end asked for an answer. If it did not,
 * it would go on as if all were well, so the connection ends.
 */
final class FrontEndSession implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(FrontEndSession.class.getName());

    private static final long SUCCESS = 0;
    private static final long FAILURE = 1;

    private final UnixSocket socket;
    private final Arena arena = Arena.ofShared();
    private final IncomingMessage message = new IncomingMessage(arena);
    private final MemorySegment out =
            arena.allocate(IncomingMessage.HEADER_BYTES + IncomingMessage.MAXIMUM_PAYLOAD_BYTES, Long.BYTES);
    private final SharedDevice device;

    /** The queues' descriptors for kicks are waited for with data from {@code firstKick} on. */
    FrontEndSession(VirtioDevice device, VhostUserOptions options, UnixSocket socket, Epoll epoll, long firstKick) {
        this.socket = socket;
        this.device = new SharedDevice(device, options, epoll, firstKick);
    }

    UnixSocket socket() {
        return socket;
    }

    SharedDevice device() {
        return device;
    }

    /** Takes what the front end sent; call it when the socket is readable. Returns false if the connection is over. */
    boolean receive() {
        try {
            return switch (message.receive(socket)) {
                case PARTIAL -> true;
                case CLOSED -> false;
                case MALFORMED -> {
                    // Where the next message starts is anyone's guess.
                    LOG.log(System.Logger.Level.WARNING, "the front end sent what is no message; it is disconnected");
                    yield false;
                }
                case MESSAGE -> answer();
            };
        } catch (LinuxException gone) {
            return false;
        }
    }

    private boolean answer() throws LinuxException {
        Request request = Request.of(message.request());
        try {
            if (request == null) {
                throw new RefusedException("request " + message.request() + " is unknown");
            }
            if (request.reply() == Request.Reply.OWN) {
                reply(replyTo(request));
            } else {
                execute(request);
                acknowledge(SUCCESS);
            }
            return true;
        } catch (RefusedException e) {
            boolean told = refuse(request);
            LOG.log(
                    told ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING,
                    () -> "the front end's " + (request == null ? "request" : request) + " is refused"
                            + (told ? ": " : " and the connection ends: ") + e.getMessage());
            return told;
        } finally {
            message.clear();
        }
    }

    /** Tells the front end that its request failed. Returns false if there is no way to. */
    private boolean refuse(@Nullable Request request) throws LinuxException {
        if (request == Request.GET_CONFIG) {
            reply(0);
            return true;
        }
        if (request == Request.IOTLB_MSG) {
            replyNumber(FAILURE);
            return true;
        }
        return (request == null || request.reply() == Request.Reply.ON_REQUEST) && acknowledge(FAILURE);
    }

    /** Answers with a number, if the front end wants that; asks only now, as it may want it from this request on. */
    private boolean acknowledge(long result) throws LinuxException {
        boolean wanted =
                (message.flags() & VhostUser.FLAGS_NEED_REPLY) != 0 && device.hasAgreedOn(ProtocolFeature.REPLY_ACK);
        if (wanted) {
            replyNumber(result);
        }
        return wanted;
    }

    private void replyNumber(long number) throws LinuxException {
        VhostUser.U64.view(replyPayload()).set("u64", number);
        reply(VhostUser.U64.byteSize());
    }

    private MemorySegment replyPayload() {
        return out.asSlice(IncomingMessage.HEADER_BYTES);
    }

    private void reply(long payloadBytes) throws LinuxException {
        VhostUser.HEADER
                .view(out)
                .set("request", Integer.toUnsignedLong(message.request()))
                .set("flags", VhostUser.FLAGS_VERSION | VhostUser.FLAGS_REPLY)
                .set("size", payloadBytes);
        socket.send(out.asSlice(0, IncomingMessage.HEADER_BYTES + payloadBytes), List.of());
    }

    /** Carries out a request that has a reply of its own; returns the size of its payload. */
    private long replyTo(Request request) throws RefusedException, LinuxException {
        StructView number = VhostUser.U64.view(replyPayload());
        checkDescriptors(0);
        switch (request) {
            case GET_FEATURES -> number.set("u64", device.offeredFeatures());
            case GET_PROTOCOL_FEATURES -> number.set("u64", device.offeredProtocolFeatures());
            case GET_QUEUE_NUM -> number.set("u64", device.queueNumber());
            case GET_MAX_MEM_SLOTS -> number.set("u64", FrontEndMemory.MAXIMUM_REGIONS);
            case GET_STATUS -> number.set("u64", device.status());
            case GET_VRING_BASE -> {
                StructView asked = payload(VhostUser.VRING_STATE);
                VhostUser.VRING_STATE
                        .view(replyPayload())
                        .set("index", asked.get("index"))
                        .set("num", Integer.toUnsignedLong(device.stop(index(asked.get("index")))));
                return VhostUser.VRING_STATE.byteSize();
            }
            case GET_CONFIG -> {
                return readConfiguration();
            }
            default -> throw new RefusedException("not offered");
        }
        return VhostUser.U64.byteSize();
    }

    private void execute(Request request) throws RefusedException, LinuxException {
        switch (request) {
            case SET_MEM_TABLE -> setMemoryTable();
            case ADD_MEM_REG -> {
                checkAgreed(ProtocolFeature.CONFIGURE_MEM_SLOTS);
                checkDescriptors(1);
                device.addMemory(
                        payload(VhostUser.SINGLE_MEMORY_REGION),
                        message.descriptors().getFirst());
            }
            case SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR -> setEvent(request);
            case SET_BACKEND_REQ_FD -> {
                checkAgreed(ProtocolFeature.BACKEND_REQ);
                checkDescriptors(1);
                device.setChannel(new BackendChannel(message.descriptors().removeFirst()));
            }
            case REM_MEM_REG -> {
                checkAgreed(ProtocolFeature.CONFIGURE_MEM_SLOTS);
                // Some front ends send the descriptor again; it is closed.
                if (message.descriptors().size() > 1) {
                    throw new RefusedException("too many descriptors");
                }
                device.removeMemory(payload(VhostUser.SINGLE_MEMORY_REGION));
            }
            default -> {
                checkDescriptors(0);
                executeWithoutDescriptors(request);
            }
        }
    }

    private void executeWithoutDescriptors(Request request) throws RefusedException, LinuxException {
        switch (request) {
            // The second once disabled all queues, for some; the document recommends to ignore it.
            case SET_OWNER, RESET_OWNER -> {}
            case SET_FEATURES -> device.setFeatures(number());
            case SET_PROTOCOL_FEATURES -> device.setProtocolFeatures(number());
            case SET_VRING_NUM -> {
                StructView state = payload(VhostUser.VRING_STATE);
                device.setQueueSize(index(state.get("index")), state.get("num"));
            }
            case SET_VRING_ADDR -> {
                StructView address = payload(VhostUser.VRING_ADDRESS);
                device.setAddresses(index(address.get("index")), address);
            }
            case SET_VRING_BASE -> {
                StructView state = payload(VhostUser.VRING_STATE);
                device.vring(index(state.get("index"))).setBase(state.get("num"));
            }
            case SET_VRING_ENABLE -> {
                StructView state = payload(VhostUser.VRING_STATE);
                device.setEnabled(index(state.get("index")), state.get("num"));
            }
            case VRING_KICK -> {
                checkAgreed(ProtocolFeature.INBAND_NOTIFICATIONS);
                device.kick(index(payload(VhostUser.VRING_STATE).get("index")));
            }
            case SET_CONFIG -> writeConfiguration();
            case NET_SET_MTU -> {
                checkAgreed(ProtocolFeature.MTU);
                device.setMtu(number());
            }
            case RESET_DEVICE -> {
                checkAgreed(ProtocolFeature.RESET_DEVICE);
                device.reset();
            }
            case SET_STATUS -> {
                checkAgreed(ProtocolFeature.STATUS);
                device.setStatus(number());
            }
            default -> throw new RefusedException("not offered");
        }
    }

    private void setMemoryTable() throws RefusedException {
        MemorySegment payload = message.payload();
        long tableBytes = VhostUser.MEMORY_TABLE.byteSize();
        long regionBytes = VhostUser.MEMORY_REGION.byteSize();
        long count = payload.byteSize() < tableBytes
                ? 0
                : VhostUser.MEMORY_TABLE.view(payload).get("num_regions");
        // User Mode Linux sends the table in full, whatever is used of it.
        if (count < 1
                || count > VhostUser.MAXIMUM_TABLE_REGIONS
                || payload.byteSize() < tableBytes + count * regionBytes) {
            throw new RefusedException("a memory table of " + count + " regions in " + payload.byteSize() + " bytes");
        }
        checkDescriptors((int) count);
        List<StructView> regions = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            regions.add(VhostUser.MEMORY_REGION.view(payload.asSlice(tableBytes + i * regionBytes, regionBytes)));
        }
        device.setMemory(regions, message.descriptors());
    }

    private void setEvent(Request request) throws RefusedException, LinuxException {
        long number = number();
        if ((number & ~(VhostUser.VRING_INDEX_MASK | VhostUser.VRING_NO_DESCRIPTOR)) != 0) {
            throw new RefusedException("a queue of 0x" + Long.toHexString(number));
        }
        int queue = index(number & VhostUser.VRING_INDEX_MASK);
        checkDescriptors((number & VhostUser.VRING_NO_DESCRIPTOR) == 0 ? 1 : 0);
        Fd fd = message.descriptors().isEmpty() ? null : message.descriptors().removeFirst();
        device.setEvent(request, queue, fd);
    }

    private long readConfiguration() throws RefusedException {
        StructView asked = configuration();
        MemorySegment reply = replyPayload();
        long total = VhostUser.CONFIGURATION.byteSize() + asked.get("size");
        reply.asSlice(0, total).copyFrom(asked.segment().asSlice(0, total));
        device.readConfiguration(
                asked.get("offset"),
                VhostUser.CONFIGURATION.view(reply).trailing().asSlice(0, asked.get("size")));
        return total;
    }

    private void writeConfiguration() throws RefusedException {
        StructView asked = configuration();
        device.writeConfiguration(asked.get("offset"), asked.trailing().asSlice(0, asked.get("size")));
    }

    private StructView configuration() throws RefusedException {
        checkAgreed(ProtocolFeature.CONFIG);
        MemorySegment payload = message.payload();
        long header = VhostUser.CONFIGURATION.byteSize();
        if (payload.byteSize() < header) {
            throw new RefusedException("a message of " + payload.byteSize() + " bytes");
        }
        StructView view = VhostUser.CONFIGURATION.view(payload);
        long size = view.get("size");
        if (size < 1
                || size > payload.byteSize() - header
                || view.get("offset") > VhostUser.MAXIMUM_CONFIGURATION_BYTES - size) {
            throw new RefusedException(size + " bytes of configuration space from " + view.get("offset") + " in "
                    + payload.byteSize() + " bytes");
        }
        return view;
    }

    private void checkAgreed(ProtocolFeature feature) throws RefusedException {
        if (!device.hasAgreedOn(feature)) {
            throw new RefusedException("it takes the protocol feature " + feature);
        }
    }

    private void checkDescriptors(int count) throws RefusedException {
        if (message.descriptors().size() != count) {
            throw new RefusedException(message.descriptors().size() + " descriptors instead of " + count);
        }
    }

    private long number() throws RefusedException {
        return payload(VhostUser.U64).get("u64");
    }

    private StructView payload(Struct struct) throws RefusedException {
        MemorySegment payload = message.payload();
        if (payload.byteSize() != struct.byteSize()) {
            throw new RefusedException(payload.byteSize() + " bytes instead of " + struct.byteSize());
        }
        return struct.view(payload);
    }

    private int index(long queue) throws RefusedException {
        if (queue >= device.queueCount()) {
            throw new RefusedException("a queue " + queue + " of " + device.queueCount());
        }
        return (int) queue;
    }

    @Override
    public void close() throws LinuxException {
        message.clear();
        device.close();
        socket.close();
        arena.close();
    }
}
