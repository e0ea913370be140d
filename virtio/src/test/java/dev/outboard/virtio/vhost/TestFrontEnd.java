package dev.outboard.virtio.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Mman;
import dev.outboard.linux.Poll;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vhostuser.ProtocolFeature;
import dev.outboard.specs.vhostuser.Request;
import dev.outboard.specs.vhostuser.VhostUser;
import dev.outboard.specs.virtio.SplitRing;
import dev.outboard.specs.virtio.VirtioFeature;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Sends raw vhost-user messages, right and wrong ones, and drives one queue whose parts are at fixed places. */
final class TestFrontEnd implements AutoCloseable {
    static final long MEMORY_BYTES = 1 << 20;
    static final long GUEST = 0x1000_0000L;
    static final long USER = 0x7f12_3456_7000L;
    static final int SIZE = 16;

    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final long AVAILABLE = 0x1000;
    private static final long USED = 0x2000;
    private static final long BUFFERS = 0x10000;
    private static final int BUFFER_BYTES = 256;

    private final UnixSocket socket;
    private final Arena arena = Arena.ofShared();
    private final Fd file = Fd.memfd("guest", MEMORY_BYTES);
    private final MemorySegment memory =
            file.mmap(0, MEMORY_BYTES, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, arena);
    private final EventFd kick = EventFd.create();
    private final EventFd call = EventFd.create();
    private final EventFd error = EventFd.create();
    private int available;

    record Reply(int request, int flags, ByteBuffer payload) {
        long number() {
            return payload.getLong(0);
        }
    }

    private TestFrontEnd(UnixSocket socket) throws LinuxException {
        this.socket = socket;
    }

    static TestFrontEnd connect(Path path) throws IOException {
        return new TestFrontEnd(UnixSocket.connect(path.toString()));
    }

    static TestFrontEnd of(UnixSocket socket) throws IOException {
        return new TestFrontEnd(socket);
    }

    /** One that agreed on all protocol features that are offered, and on the features of the device. */
    static TestFrontEnd negotiated(Path path) throws IOException {
        TestFrontEnd frontEnd = connect(path);
        frontEnd.negotiate();
        return frontEnd;
    }

    void negotiate() throws IOException {
        send(Request.SET_OWNER, bytes());
        long offered = ask(Request.GET_PROTOCOL_FEATURES).number();
        send(Request.SET_PROTOCOL_FEATURES, number(offered));
        assertThat(ProtocolFeature.REPLY_ACK.isIn(offered)).isTrue();
        agreeOn(VirtioFeature.VERSION_1 | VhostUser.FEATURE_PROTOCOL_FEATURES | EchoDevice.FEATURE);
    }

    void agreeOn(long features) throws IOException {
        acknowledged(Request.SET_FEATURES, number(features));
    }

    static byte[] bytes(int... words) {
        ByteBuffer buffer = ByteBuffer.allocate(words.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : words) {
            buffer.putInt(word);
        }
        return buffer.array();
    }

    static byte[] number(long... values) {
        ByteBuffer buffer = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) {
            buffer.putLong(value);
        }
        return buffer.array();
    }

    static byte[] message(int request, int flags, byte[] payload) {
        return ByteBuffer.allocate(IncomingMessage.HEADER_BYTES + payload.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(request)
                .putInt(flags)
                .putInt(payload.length)
                .put(payload)
                .array();
    }

    void send(byte[] message, Fd... descriptors) throws IOException {
        try (Arena call = Arena.ofConfined()) {
            socket.send(call.allocateFrom(ValueLayout.JAVA_BYTE, message), List.of(descriptors));
        }
    }

    void send(Request request, byte[] payload, Fd... descriptors) throws IOException {
        send(message(request.number(), VhostUser.FLAGS_VERSION, payload), descriptors);
    }

    /** Sends a request that has a reply of its own. */
    Reply ask(Request request, byte[] payload) throws IOException {
        send(request, payload);
        Reply reply = receive();
        assertThat(reply.request).isEqualTo(request.number());
        assertThat(reply.flags).isEqualTo(VhostUser.FLAGS_VERSION | VhostUser.FLAGS_REPLY);
        return reply;
    }

    Reply ask(Request request) throws IOException {
        return ask(request, bytes());
    }

    /** Sends a request, asks for an answer, and returns whether it was zero. */
    boolean acknowledge(int request, byte[] payload, Fd... descriptors) throws IOException {
        send(message(request, VhostUser.FLAGS_VERSION | VhostUser.FLAGS_NEED_REPLY, payload), descriptors);
        Reply reply = receive();
        assertThat(reply.request).isEqualTo(request);
        return reply.number() == 0;
    }

    void acknowledged(Request request, byte[] payload, Fd... descriptors) throws IOException {
        assertThat(acknowledge(request.number(), payload, descriptors))
                .as("%s", request)
                .isTrue();
    }

    private Reply receive() throws IOException {
        ByteBuffer header = receive(IncomingMessage.HEADER_BYTES);
        return new Reply(header.getInt(0), header.getInt(4), receive(header.getInt(8)));
    }

    private ByteBuffer receive(int size) throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bytes = call.allocate(Math.max(1, size));
            for (long at = 0; at < size; ) {
                assertThat(Poll.readable(socket.fd(), TIMEOUT)).isTrue();
                long count = socket.receive(bytes.asSlice(at, size - at)).bytes();
                if (count == 0) {
                    throw new IOException("the back end closed the connection");
                }
                at += count;
            }
            return ByteBuffer.wrap(bytes.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE))
                    .order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    /** That the back end ends the connection; what it says before is dropped. */
    void awaitDisconnect() throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment dropped = call.allocate(4096);
            while (true) {
                assertThat(Poll.readable(socket.fd(), TIMEOUT)).isTrue();
                if (socket.receive(dropped).bytes() == 0) {
                    return;
                }
            }
        } catch (LinuxException reset) {
            // Gone, with something unread.
        }
    }

    Fd file() {
        return file;
    }

    EventFd kickEvent() {
        return kick;
    }

    static byte[] region(long guest, long size, long user, long offset) {
        return number(guest, size, user, offset);
    }

    static byte[] table(byte[]... regions) {
        ByteBuffer table = ByteBuffer.allocate(8 + regions.length * 32).order(ByteOrder.LITTLE_ENDIAN);
        table.putInt(regions.length).putInt(0);
        for (byte[] region : regions) {
            table.put(region);
        }
        return table.array();
    }

    static byte[] singleRegion(byte[] region) {
        return ByteBuffer.allocate(Long.BYTES + region.length)
                .putLong(0)
                .put(region)
                .array();
    }

    void shareMemory() throws IOException {
        acknowledged(Request.SET_MEM_TABLE, table(region(GUEST, MEMORY_BYTES, USER, 0)), file);
    }

    static byte[] addresses(int queue, long descriptors, long used, long available) {
        return ByteBuffer.allocate((int) VhostUser.VRING_ADDRESS.byteSize())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(queue)
                .putInt(0)
                .putLong(descriptors)
                .putLong(used)
                .putLong(available)
                .putLong(-1)
                .array();
    }

    /** Everything but what starts the queue. */
    void describeQueue(int queue, int base) throws IOException {
        acknowledged(Request.SET_VRING_NUM, bytes(queue, SIZE));
        acknowledged(Request.SET_VRING_BASE, bytes(queue, base));
        acknowledged(Request.SET_VRING_ADDR, addresses(queue, USER, USER + USED, USER + AVAILABLE));
        acknowledged(Request.SET_VRING_CALL, number(queue), call.fd());
        acknowledged(Request.SET_VRING_ERR, number(queue), error.fd());
    }

    void startQueue(int queue) throws IOException {
        shareMemory();
        describeQueue(queue, 0);
        acknowledged(Request.SET_VRING_KICK, number(queue), kick.fd());
        acknowledged(Request.SET_VRING_ENABLE, bytes(queue, 1));
    }

    /** Makes a request available: what is to be echoed, from one address to another. */
    void makeAvailable(long from, long to) {
        int first = available * 2 % SIZE;
        descriptor(first, from, SplitRing.FLAG_NEXT, first + 1);
        descriptor(first + 1, to, SplitRing.FLAG_WRITE, 0);
        memory.set(
                ValueLayout.JAVA_SHORT,
                AVAILABLE + SplitRing.AVAILABLE_RING + (long) (available % SIZE) * SplitRing.AVAILABLE_ENTRY_BYTES,
                (short) first);
        available++;
        ValueLayout.JAVA_SHORT.varHandle().setRelease(memory, AVAILABLE + SplitRing.AVAILABLE_INDEX, (short) available);
    }

    private void descriptor(int index, long address, int flags, int next) {
        long at = (long) index * SplitRing.DESCRIPTOR_BYTES;
        memory.set(ValueLayout.JAVA_LONG, at, address);
        memory.set(
                ValueLayout.JAVA_LONG,
                at + SplitRing.DESCRIPTOR_WORD,
                BUFFER_BYTES | (long) flags << SplitRing.FLAGS_SHIFT | (long) next << SplitRing.NEXT_SHIFT);
    }

    /** Makes available a request to echo a text. */
    void makeAvailable(String text) {
        memory.asSlice(source(available), BUFFER_BYTES).fill((byte) 0);
        memory.setString(source(available), text);
        makeAvailable(GUEST + source(available), GUEST + target(available));
    }

    private static long source(int request) {
        return BUFFERS + request % SIZE * 2L * BUFFER_BYTES;
    }

    private static long target(int request) {
        return source(request) + BUFFER_BYTES;
    }

    /** The text that the device wrote for the last request. */
    String echoed() {
        return memory.getString(target(available - 1));
    }

    int usedIndex() {
        return Short.toUnsignedInt(
                (short) ValueLayout.JAVA_SHORT.varHandle().getAcquire(memory, USED + SplitRing.USED_INDEX));
    }

    void kick() throws IOException {
        kick.signal();
    }

    /** Waits until the device has used so many requests, being called for each change. */
    void awaitUsed(int count) throws IOException {
        while (usedIndex() < count) {
            assertThat(call.await(TIMEOUT)).as("calls").isPositive();
        }
    }

    void awaitError() throws IOException {
        assertThat(error.await(TIMEOUT)).isPositive();
    }

    /** Echoes a text by the queue, with kick and call. */
    void echo(String text) throws IOException {
        int before = available;
        makeAvailable(text);
        kick();
        awaitUsed(before + 1);
        assertThat(echoed()).isEqualTo(text);
    }

    List<Fd> events() {
        return new ArrayList<>(List.of(kick.fd(), call.fd(), error.fd()));
    }

    @Override
    public void close() {
        socket.close();
        kick.close();
        call.close();
        error.close();
        file.close();
        arena.close();
    }
}
