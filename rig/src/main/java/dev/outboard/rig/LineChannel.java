package dev.outboard.rig;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Lines over a socket, with deadlines. For one thread at a time. */
final class LineChannel implements Closeable {
    private static final int READ_BYTES = 64 << 10;

    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final LineBuffer lines = new LineBuffer();
    private final ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES);

    LineChannel(SocketChannel channel) throws IOException {
        this.channel = channel;
        channel.configureBlocking(false);
        selector = Selector.open();
        key = channel.register(selector, SelectionKey.OP_READ);
    }

    /** The next line, or null when the deadline passed. */
    @Nullable
    String read(Deadline deadline) throws IOException {
        while (true) {
            String line = lines.next();
            if (line != null) {
                return line;
            }
            int count = channel.read(buffer.clear());
            if (count < 0) {
                throw new RigException("QEMU closed its monitor");
            }
            if (count == 0) {
                if (deadline.isOver()) {
                    return null;
                }
                await(SelectionKey.OP_READ, deadline);
            } else {
                lines.add(buffer.flip());
            }
        }
    }

    void write(String line, Deadline deadline) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                if (deadline.isOver()) {
                    throw new RigException("QEMU does not read from its monitor");
                }
                await(SelectionKey.OP_WRITE, deadline);
            }
        }
    }

    private void await(int operation, Deadline deadline) throws IOException {
        key.interestOps(operation);
        selector.select(deadline.remainingMillis());
        selector.selectedKeys().clear();
    }

    @Override
    public void close() throws IOException {
        selector.close();
        channel.close();
    }
}
