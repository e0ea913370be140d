package dev.outboard.rig;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Switches the trace of device accesses from inside a guest, so that it covers just the accesses that matter. In a shell
 * the same is done by {@code outboard-trace on} and {@code outboard-trace off}. One program may hold the port at a time.
 */
public final class TraceSwitch implements AutoCloseable {
    private static final Path PORT = Path.of("/dev/virtio-ports/outboard.host");

    private final RandomAccessFile port;

    private TraceSwitch(RandomAccessFile port) {
        this.port = port;
    }

    /**
     * Opens the switch.
     *
     * @return the switch, to be closed
     * @throws IOException when this is no guest of the rig, or another program holds it
     */
    public static TraceSwitch open() throws IOException {
        if (!Files.exists(PORT)) {
            throw new RigException(
                    "%s does not exist: run this in a guest, with %s".formatted(PORT, RunInGuest.class.getName()));
        }
        return new TraceSwitch(new RandomAccessFile(PORT.toFile(), "rw"));
    }

    /**
     * Begins to trace; accesses made after this returns are in the trace.
     *
     * @throws IOException when the host refuses
     */
    public void on() throws IOException {
        request("on");
    }

    /**
     * Stops tracing; accesses made before this was called are in the trace's file when it returns.
     *
     * @throws IOException when the host refuses
     */
    public void off() throws IOException {
        request("off");
    }

    private void request(String what) throws IOException {
        port.write(("trace " + what + "\n").getBytes(StandardCharsets.US_ASCII));
        StringBuilder answer = new StringBuilder();
        for (int next = port.read(); next != '\n'; next = port.read()) {
            if (next < 0) {
                throw new RigException("The host has gone");
            }
            answer.append((char) next);
        }
        if (!answer.toString().equals("ok")) {
            throw new RigException("The host did not switch the trace " + what + ": " + answer);
        }
    }

    @Override
    public void close() throws IOException {
        port.close();
    }
}
