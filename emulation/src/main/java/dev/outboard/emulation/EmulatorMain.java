package dev.outboard.emulation;

import dev.outboard.linux.Affinity;
import dev.outboard.linux.SystemCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Serves a model in a process of its own:
 * {@code nvme --socket PATH [--size 1G …] [--cpu N] [--once] [--exit-with-parent]}. Prints {@code listening on PATH} when
 * clients can connect. The socket's file is gone when the process ends.
 */
public final class EmulatorMain {
    /** What the ready line starts with; the socket's path follows. */
    static final String READY = "listening on ";

    /** What messages about failures start with. */
    static final String PREFIX = "outboard: ";

    /** The exit status after arguments that nothing could be made of. */
    static final int WRONG_USAGE = 2;

    private static final int FAILURE = 1;
    private static final int NOT_PINNED = -1;

    private final String name;
    private final ModelOptions options;
    private final Path socket;
    private final int cpu;
    private final boolean once;
    private final boolean exitWithParent;
    private final @Nullable Path privateDirectory;
    private volatile boolean parentGone;

    private EmulatorMain(Deque<String> arguments) {
        if (arguments.isEmpty() || arguments.getFirst().startsWith("--")) {
            throw new IllegalArgumentException("the model's name comes first; there is "
                    + String.join(
                            ", ", Models.kinds().stream().map(Models.Kind::name).toList()));
        }
        name = Models.kind(arguments.removeFirst()).name();
        boolean isOnce = false;
        boolean exits = false;
        boolean hasDirectory = false;
        Map<String, String> values = new LinkedHashMap<>();
        while (!arguments.isEmpty()) {
            String argument = arguments.removeFirst();
            switch (argument) {
                case "--once" -> isOnce = true;
                case "--exit-with-parent" -> exits = true;
                case "--private-directory" -> hasDirectory = true;
                default -> {
                    if (!argument.startsWith("--") || arguments.isEmpty()) {
                        throw new IllegalArgumentException("\"" + argument + "\" is no option with a value");
                    }
                    values.put(argument.substring(2), arguments.removeFirst());
                }
            }
        }
        once = isOnce;
        exitWithParent = exits;
        ModelOptions all = ModelOptions.of(values);
        String path = all.text("socket");
        if (path == null) {
            throw new IllegalArgumentException("where to listen is missing: --socket PATH");
        }
        socket = Path.of(path);
        privateDirectory = hasDirectory ? socket.toAbsolutePath().getParent() : null;
        cpu = all.number("cpu", NOT_PINNED);
        options = all.without("socket").without("cpu");
    }

    /**
     * Serves a model until it is interrupted.
     *
     * @param arguments the model's name, then options
     */
    public static void main(String[] arguments) {
        // Linking takes half of the start, and whoever started this process waits for it on another processor.
        Thread.ofPlatform().daemon().name("outboard-link").start(SystemCalls::linkAhead);
        try {
            new EmulatorMain(new ArrayDeque<>(List.of(arguments))).serve();
            System.exit(0);
        } catch (IllegalArgumentException e) {
            System.err.println(PREFIX + e.getMessage());
            System.exit(WRONG_USAGE);
        } catch (IOException e) {
            System.err.println(PREFIX + e.getMessage());
            System.exit(FAILURE);
        }
    }

    private void serve() throws IOException {
        try (PciModel model = Models.create(name, options);
                VfioUserServer server = VfioUserServer.listen(socket, model)) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> close(server)));
            if (exitWithParent) {
                Thread.ofPlatform().daemon().name("outboard-parent").start(this::exitAtEndOfInput);
            }
            if (cpu != NOT_PINNED) {
                Affinity.pin(cpu);
            }
            System.out.println(READY + socket);
            if (once) {
                server.runOnce();
            } else {
                server.run();
            }
        }
    }

    private void close(VfioUserServer server) {
        server.close();
        // While the parent lives it deletes the directory itself, after it has read what went wrong.
        if (parentGone && privateDirectory != null) {
            PrivateDirectory.delete(privateDirectory);
        }
    }

    // However the parent ends, the kernel closes its end of the pipe.
    private void exitAtEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                // What the parent says does not matter.
            }
        } catch (IOException e) {
            // No parent that could be read from is none.
        }
        parentGone = true;
        System.exit(0);
    }
}
