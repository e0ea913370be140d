package dev.outboard.rig;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * QEMU's machine protocol (QMP): plugs devices in and out, asks for their state. Safe for use by several threads.
 *
 * <p>Messages are JSON documents of one line each, passed through as text.
 */
public final class Monitor implements Closeable {
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

    private final LineChannel channel;
    private final List<String> events = new ArrayList<>();

    Monitor(SocketChannel socket) throws IOException {
        channel = new LineChannel(socket);
        // The greeting comes first, and no command is taken before this one.
        execute("{\"execute\": \"qmp_capabilities\"}");
    }

    /**
     * Runs a command.
     *
     * @param command for instance {@code {"execute": "device_del", "arguments": {"id": "nvme0"}}}, on one line
     * @return QEMU's answer, a JSON object with the member {@code return}
     * @throws RigException when QEMU refuses, with what it said, or does not answer
     * @throws IOException when QEMU is gone
     */
    public synchronized String execute(String command) throws IOException {
        Deadline deadline = Deadline.after(ANSWER_LIMIT);
        channel.write(command, deadline);
        while (true) {
            String line = channel.read(deadline);
            if (line == null) {
                throw new RigException(
                        "QEMU did not answer within %d s: %s".formatted(ANSWER_LIMIT.toSeconds(), command));
            }
            if (line.startsWith("{\"return\"")) {
                return line;
            }
            if (line.startsWith("{\"error\"")) {
                throw new RigException("QEMU refused %s: %s".formatted(command, line));
            }
            if (line.contains("\"event\"")) {
                events.add(line);
            }
        }
    }

    /**
     * Runs a command for people, such as {@code info pci}, {@code info registers} or {@code device_add edu,id=e2}.
     *
     * @param command the command
     * @return QEMU's answer: JSON, the text is the member {@code return}
     * @throws IOException when QEMU is gone; a command that fails says so in its text
     */
    public String human(String command) throws IOException {
        return execute("{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"%s\"}}"
                .formatted(command.replace("\\", "\\\\").replace("\"", "\\\"")));
    }

    /**
     * Waits for an event and takes it, and those before it, off the list.
     *
     * @param name for instance {@code DEVICE_DELETED}
     * @param limit how long to wait
     * @return the event, a JSON object
     * @throws GuestTimeoutException when it does not come in time
     * @throws IOException when QEMU is gone
     */
    public synchronized String awaitEvent(String name, Duration limit) throws IOException {
        Deadline deadline = Deadline.after(limit);
        while (true) {
            for (int i = 0; i < events.size(); i++) {
                String event = events.get(i);
                if (event.contains("\"event\": \"" + name + "\"")) {
                    events.subList(0, i + 1).clear();
                    return event;
                }
            }
            @Nullable String line = channel.read(deadline);
            if (line == null) {
                throw new GuestTimeoutException("QEMU sent no event %s within %d ms".formatted(name, limit.toMillis()));
            }
            events.add(line);
        }
    }

    void trace(boolean on) throws IOException {
        for (String event : List.of("memory_region_ops_read", "memory_region_ops_write")) {
            execute("{\"execute\": \"trace-event-set-state\", \"arguments\": {\"name\": \"%s\", \"enable\": %s}}"
                    .formatted(event, on));
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
