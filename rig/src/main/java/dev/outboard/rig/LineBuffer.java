package dev.outboard.rig;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** Makes lines of the bytes that arrive in pieces. */
final class LineBuffer {
    private final ByteArrayOutputStream unfinished = new ByteArrayOutputStream();
    private final Queue<String> finished = new ArrayDeque<>();

    void add(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            byte next = bytes.get();
            if (next == '\n') {
                finished.add(unfinished.toString(StandardCharsets.UTF_8).stripTrailing());
                unfinished.reset();
            } else {
                unfinished.write(next);
            }
        }
    }

    @Nullable
    String next() {
        return finished.poll();
    }
}
