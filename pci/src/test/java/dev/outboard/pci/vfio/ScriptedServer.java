package dev.outboard.pci.vfio;

import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.linux.uapi.Vfio;
import dev.outboard.specs.pci.PciConfiguration;
import dev.outboard.specs.vfiouser.VfioUser;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The other end of a vfio-user connection, which behaves, apart from what a test tells it: a device with configuration
 * space, a BAR 0 of 12 KiB whose second page can be mapped, and four MSI-X vectors.
 */
final class ScriptedServer implements AutoCloseable {
    static final int BAR_BYTES = 0x3000;
    static final int MAPPABLE_OFFSET = 0x1000;

    /** What a test does with a command instead of what the server would do. */
    interface Script {
        void run(Request request) throws IOException;
    }

    /** A command that came. */
    record Request(int id, int command, long flags, MemorySegment body, List<Fd> descriptors) {
        long u32(long offset) {
            return Integer.toUnsignedLong(body.get(ValueLayout.JAVA_INT_UNALIGNED, offset));
        }

        long u64(long offset) {
            return body.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
        }
    }

    final MemorySegment configuration = MemorySegment.ofArray(new byte[PciConfiguration.SIZE_BYTES]);
    final MemorySegment bar = MemorySegment.ofArray(new byte[BAR_BYTES]);
    final Fd mappable;
    final BlockingQueue<Request> log = new LinkedBlockingQueue<>();

    private final UnixSocket socket;
    private final Map<Integer, Script> scripts = new HashMap<>();
    private final Thread thread = Thread.ofPlatform().daemon().unstarted(this::serve);

    ScriptedServer(UnixSocket socket) throws LinuxException {
        this.socket = socket;
        mappable = Fd.memfd("bar0", BAR_BYTES);
        configuration.set(ValueLayout.JAVA_INT_UNALIGNED, 0, 0x0010_1b36);
    }

    ScriptedServer on(int command, Script script) {
        scripts.put(command, script);
        return this;
    }

    ScriptedServer start() {
        thread.start();
        return this;
    }

    /** Waits for the next command of a kind. */
    Request awaitCommand(int command) throws InterruptedException {
        while (true) {
            Request request =
                    Objects.requireNonNull(log.poll(5, TimeUnit.SECONDS), "no " + VfioUser.commandName(command));
            if (request.command == command) {
                return request;
            }
        }
    }

    private void serve() {
        try {
            while (true) {
                Request request = receive(Arena.ofAuto());
                Script script = scripts.get(request.command);
                log.add(request);
                if ((request.flags & VfioUser.FLAGS_TYPE_MASK) == VfioUser.FLAGS_TYPE_REPLY) {
                    continue;
                }
                if (script != null) {
                    script.run(request);
                } else {
                    behave(request);
                }
            }
        } catch (IOException | IndexOutOfBoundsException ended) {
            socket.close();
        }
    }

    private Request receive(Arena arena) throws IOException {
        List<Fd> descriptors = new ArrayList<>();
        StructView header = VfioUser.HEADER.view(receive(arena.allocate(16), descriptors));
        MemorySegment body = receive(arena.allocate(header.get("msg_size") - 16), descriptors);
        return new Request(header.getInt("msg_id"), header.getInt("cmd"), header.get("flags"), body, descriptors);
    }

    private MemorySegment receive(MemorySegment buffer, List<Fd> descriptors) throws IOException {
        for (long at = 0; at < buffer.byteSize(); ) {
            UnixSocket.Received received = socket.receive(buffer.asSlice(at));
            descriptors.addAll(received.descriptors());
            if (received.bytes() == 0) {
                throw new IOException("the client closed the connection");
            }
            at += received.bytes();
        }
        return buffer;
    }

    /** Does what a server has to do. */
    void behave(Request request) throws IOException {
        switch (request.command) {
            case VfioUser.VERSION -> reply(request, version(0, 1, "{\"capabilities\":{\"max_msg_fds\":3}}"));
            case VfioUser.DEVICE_GET_INFO ->
                reply(request, words(16, Vfio.VFIO_DEVICE_FLAGS_PCI | Vfio.VFIO_DEVICE_FLAGS_RESET, 9, 5));
            case VfioUser.DEVICE_GET_REGION_INFO -> regionInfo(request);
            case VfioUser.DEVICE_GET_IRQ_INFO -> {
                int index = (int) request.u32(8);
                reply(request, words(16, Vfio.VFIO_IRQ_INFO_EVENTFD, index, index == 2 ? 4 : 0));
            }
            case VfioUser.REGION_READ -> {
                int count = (int) request.u32(12);
                MemorySegment reply = MemorySegment.ofArray(new byte[16 + count]);
                reply.copyFrom(request.body.asSlice(0, 16));
                reply.asSlice(16).copyFrom(region(request).asSlice(request.u64(0), count));
                reply(request, reply);
            }
            case VfioUser.REGION_WRITE -> {
                region(request).asSlice(request.u64(0)).copyFrom(request.body.asSlice(16));
                reply(request, request.body.asSlice(0, 16));
            }
            case VfioUser.DMA_UNMAP -> reply(request, request.body);
            default -> reply(request, MemorySegment.NULL);
        }
    }

    private MemorySegment region(Request request) {
        return request.u32(8) == Vfio.VFIO_PCI_CONFIG_REGION_INDEX ? configuration : bar;
    }

    private void regionInfo(Request request) throws IOException {
        int index = (int) request.u32(8);
        if (index == 0) {
            MemorySegment reply = regionInfo(index, 0xf, BAR_BYTES, 32);
            sendWithDescriptors(request, sparse(reply, MAPPABLE_OFFSET, 0x1000), List.of(mappable));
        } else {
            long size = index == Vfio.VFIO_PCI_CONFIG_REGION_INDEX ? configuration.byteSize() : 0;
            reply(request, regionInfo(index, 3, size, 0));
        }
    }

    /** A region's description, with no capabilities yet. */
    static MemorySegment regionInfo(int index, int flags, long size, int capabilityOffset) {
        MemorySegment info = MemorySegment.ofArray(new byte[32]);
        info.copyFrom(words(32, flags, index, capabilityOffset));
        info.set(ValueLayout.JAVA_LONG_UNALIGNED, 16, size);
        return info;
    }

    /** A region's description, and one area that can be mapped. */
    static MemorySegment sparse(MemorySegment info, long offset, long size) {
        MemorySegment both = MemorySegment.ofArray(new byte[32 + 16 + 16]);
        both.copyFrom(info);
        both.set(ValueLayout.JAVA_INT_UNALIGNED, 0, (int) both.byteSize());
        both.asSlice(32).copyFrom(words(Vfio.VFIO_REGION_INFO_CAP_SPARSE_MMAP | 1 << 16, 0, 1, 0));
        both.set(ValueLayout.JAVA_LONG_UNALIGNED, 48, offset);
        both.set(ValueLayout.JAVA_LONG_UNALIGNED, 56, size);
        return both;
    }

    static MemorySegment version(int major, int minor, String json) {
        byte[] text = (json + "\0").getBytes(StandardCharsets.UTF_8);
        MemorySegment body = MemorySegment.ofArray(new byte[4 + text.length]);
        body.set(ValueLayout.JAVA_SHORT_UNALIGNED, 0, (short) major);
        body.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2, (short) minor);
        body.asSlice(4).copyFrom(MemorySegment.ofArray(text));
        return body;
    }

    static MemorySegment words(int... words) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[words.length * 4]);
        return bytes.copyFrom(MemorySegment.ofArray(Arrays.copyOf(words, words.length)));
    }

    void reply(Request request, MemorySegment body) throws IOException {
        sendWithDescriptors(request, body, List.of());
    }

    void sendWithDescriptors(Request request, MemorySegment body, List<Fd> descriptors) throws IOException {
        send(request.id, request.command, 16 + body.byteSize(), VfioUser.FLAGS_TYPE_REPLY, 0, body, descriptors);
    }

    void refuse(Request request, int errno) throws IOException {
        int flags = VfioUser.FLAGS_TYPE_REPLY | VfioUser.FLAGS_ERROR;
        send(request.id, request.command, 16, flags, errno, MemorySegment.NULL, List.of());
    }

    void send(int id, int command, long size, int flags, int errno, MemorySegment body, List<Fd> descriptors)
            throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            StructView header = VfioUser.HEADER.allocate(arena, body.byteSize());
            header.set("msg_id", id)
                    .set("cmd", command)
                    .set("msg_size", size)
                    .set("flags", flags)
                    .set("error_no", errno);
            header.trailing().copyFrom(body);
            socket.send(header.segment(), descriptors);
        }
    }

    /** Sends what is no message. */
    void say(String text) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            socket.send(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), List.of());
        }
    }

    /** Leaves, as a process does that is killed. */
    void vanish() {
        socket.shutdown();
    }

    @Override
    public void close() {
        socket.shutdown();
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        mappable.close();
    }
}
