package dev.outboard.emulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.Poll;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Sends raw vfio-user messages, right and wrong ones. */
public final class TestClient implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int HEADER_BYTES = 16;

    private final UnixSocket socket;
    private int nextId = 1;

    /** A message of the server: a reply, or a command. */
    public record Reply(int id, int command, int flags, int errno, ByteBuffer payload, List<Fd> descriptors) {
        boolean isCommand() {
            return (flags & VfioUser.FLAGS_TYPE_MASK) == VfioUser.FLAGS_TYPE_COMMAND;
        }

        boolean isError() {
            return (flags & VfioUser.FLAGS_ERROR) != 0;
        }
    }

    private @Nullable MemorySegment memory;
    private long memoryAddress;

    private TestClient(UnixSocket socket) {
        this.socket = socket;
    }

    public static TestClient connect(Path path) throws IOException {
        return new TestClient(UnixSocket.connect(path.toString()));
    }

    public static TestClient negotiated(Path path) throws IOException {
        TestClient client = connect(path);
        Reply reply = client.negotiate(0, 1, "{\"capabilities\":{\"max_msg_fds\":8}}");
        if (reply.isError()) {
            throw new IOException("refused with error " + reply.errno());
        }
        return client;
    }

    public static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    Reply negotiate(int major, int minor, String json) throws IOException {
        byte[] bytes = json.getBytes(UTF_8);
        return call(
                VfioUser.VERSION,
                buffer(5 + bytes.length)
                        .putShort((short) major)
                        .putShort((short) minor)
                        .put(bytes)
                        .put((byte) 0));
    }

    public Reply call(int command, ByteBuffer payload, Fd... descriptors) throws IOException {
        send(message(command, 0, payload), descriptors);
        Reply reply = receive();
        while (memory != null && reply.isCommand()) {
            serve(reply, memory);
            reply = receive();
        }
        return reply;
    }

    /** Answers the server's commands with this memory, which starts at a device address. */
    public void answerFrom(MemorySegment memory, long address) {
        this.memory = memory;
        memoryAddress = address;
    }

    /** Answers one command of the server's, if there is one. */
    public void serve() throws IOException {
        if (memory != null && Poll.readable(socket.fd(), Duration.ZERO)) {
            serve(receive(), memory);
        }
    }

    private void serve(Reply command, MemorySegment memory) throws IOException {
        int count = (int) command.payload().getLong(8);
        long at = command.payload().getLong(0) - memoryAddress;
        byte[] head = Arrays.copyOf(command.payload().array(), 16);
        if (at < 0 || at > memory.byteSize() - count) {
            answer(command, VfioUser.FLAGS_ERROR, Errno.EFAULT, new byte[0]);
        } else if (command.command() == VfioUser.DMA_READ) {
            byte[] reply = Arrays.copyOf(head, 16 + count);
            MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, at, reply, 16, count);
            answer(command, 0, 0, reply);
        } else {
            MemorySegment.copy(command.payload().array(), 16, memory, ValueLayout.JAVA_BYTE, at, count);
            answer(command, 0, 0, head);
        }
    }

    byte[] message(int command, int flags, ByteBuffer payload) {
        byte[] bytes = new byte[payload.capacity()];
        payload.get(0, bytes);
        return buffer(HEADER_BYTES + bytes.length)
                .putShort((short) nextId++)
                .putShort((short) command)
                .putInt(HEADER_BYTES + bytes.length)
                .putInt(flags)
                .putInt(0)
                .put(bytes)
                .array();
    }

    void send(byte[] bytes, Fd... descriptors) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            socket.send(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), List.of(descriptors));
        }
    }

    /** Another connection to the same server. */
    static TestClient of(UnixSocket socket) {
        return new TestClient(socket);
    }

    /** Answers a command of the server. */
    void answer(Reply command, int flags, int errno, byte[] payload) throws IOException {
        send(buffer(HEADER_BYTES + payload.length)
                .putShort((short) command.id())
                .putShort((short) command.command())
                .putInt(HEADER_BYTES + payload.length)
                .putInt(VfioUser.FLAGS_TYPE_REPLY | flags)
                .putInt(errno)
                .put(payload)
                .array());
    }

    Reply receive() throws IOException {
        List<Fd> descriptors = new ArrayList<>();
        ByteBuffer header = receive(HEADER_BYTES, descriptors);
        ByteBuffer payload = receive(header.getInt(4) - HEADER_BYTES, descriptors);
        return new Reply(
                header.getShort(0), header.getShort(2), header.getInt(8), header.getInt(12), payload, descriptors);
    }

    private ByteBuffer receive(int size, List<Fd> descriptors) throws IOException {
        ByteBuffer bytes = buffer(size);
        try (Arena arena = Arena.ofConfined()) {
            while (bytes.hasRemaining()) {
                if (!Poll.readable(socket.fd(), TIMEOUT)) {
                    throw new IOException("the server did not answer");
                }
                MemorySegment part = arena.allocate(bytes.remaining());
                UnixSocket.Received received = socket.receive(part);
                if (received.bytes() == 0) {
                    throw new IOException("the server closed the connection");
                }
                descriptors.addAll(received.descriptors());
                bytes.put(part.asSlice(0, received.bytes()).toArray(ValueLayout.JAVA_BYTE));
            }
        }
        return bytes.flip();
    }

    /** Waits until the server has closed the connection, dropping what it still said. */
    void awaitDisconnect() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            while (Poll.readable(socket.fd(), TIMEOUT)) {
                if (socket.receive(arena.allocate(4096)).bytes() == 0) {
                    return;
                }
            }
        } catch (LinuxException reset) {
            return;
        }
        throw new IOException("the server keeps the connection");
    }

    private static ByteBuffer access(long offset, int region, int count, int dataBytes) {
        return buffer(16 + dataBytes).putLong(offset).putInt(region).putInt(count);
    }

    Reply readRegion(int region, long offset, int count) throws IOException {
        return call(VfioUser.REGION_READ, access(offset, region, count, 0));
    }

    public long read(int region, long offset, int width) throws IOException {
        ByteBuffer payload = check(readRegion(region, offset, width)).payload();
        return width == Long.BYTES
                ? payload.getLong(16)
                : width == Integer.BYTES
                        ? Integer.toUnsignedLong(payload.getInt(16))
                        : Short.toUnsignedLong(payload.getShort(16));
    }

    public void write(int region, long offset, int width, long value) throws IOException {
        ByteBuffer request = access(offset, region, width, width);
        for (int i = 0; i < width; i++) {
            request.put((byte) (value >>> (i * Byte.SIZE)));
        }
        check(call(VfioUser.REGION_WRITE, request));
    }

    private static Reply check(Reply reply) throws IOException {
        if (reply.isError()) {
            throw new IOException(VfioUser.commandName(reply.command()) + " failed with errno " + reply.errno());
        }
        return reply;
    }

    /** Maps memory; returns the error number, 0 for none. */
    public int map(long address, long size, int flags, long offset, Fd... file) throws IOException {
        ByteBuffer map = buffer(32)
                .putInt(32)
                .putInt(flags)
                .putLong(offset)
                .putLong(address)
                .putLong(size);
        return call(VfioUser.DMA_MAP, map, file).errno();
    }

    /** Unmaps memory; returns the error number, 0 for none. */
    public int unmap(long address, long size, int flags) throws IOException {
        return call(
                        VfioUser.DMA_UNMAP,
                        buffer(24).putInt(24).putInt(flags).putLong(address).putLong(size))
                .errno();
    }

    /** Sets interrupts; returns the error number, 0 for none. */
    public int setIrqs(int flags, int index, int start, int count, byte[] data, Fd... events) throws IOException {
        ByteBuffer set = buffer(20 + data.length)
                .putInt(20 + data.length)
                .putInt(flags)
                .putInt(index)
                .putInt(start)
                .putInt(count)
                .put(data);
        return call(VfioUser.DEVICE_SET_IRQS, set, events).errno();
    }

    @Override
    public void close() {
        socket.close();
    }
}
