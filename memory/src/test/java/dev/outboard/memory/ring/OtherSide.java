package dev.outboard.memory.ring;

import dev.outboard.linux.Fd;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The other side of a ring, in a process of its own: this class's main, or the Python client. */
final class OtherSide implements AutoCloseable {
    static final Duration LONG_TIME = Duration.ofSeconds(60);
    static final Path PYTHON = Path.of("/usr/bin/python3");
    static final Path CLIENTS = Path.of(System.getProperty("basedir", "."), "..", "clients", "python");

    private final Process process;
    private final Path errors;

    private OtherSide(List<String> command, Path directory) throws IOException {
        errors = Files.createTempFile(directory, "errors", ".txt");
        process = new ProcessBuilder(command)
                .redirectError(errors.toFile())
                .redirectOutput(ProcessBuilder.Redirect.PIPE)
                .start();
    }

    static OtherSide java(Path directory, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=4",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(":", location(OtherSide.class), location(Ring.class), location(Fd.class)),
                OtherSide.class.getName()));
        command.addAll(List.of(arguments));
        return new OtherSide(command, directory);
    }

    static OtherSide python(Path directory, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(PYTHON.toString(), CLIENTS.resolve("ring_check.py").toString()));
        command.addAll(List.of(arguments));
        return new OtherSide(command, directory);
    }

    private static String location(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    long pid() {
        return process.pid();
    }

    /** What it printed, once it ended well. */
    String result() throws IOException, InterruptedException {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(LONG_TIME.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new AssertionError("the other side failed: " + output + Files.readString(errors));
        }
        return output.strip();
    }

    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** Arguments: what to do, the ring's file, how many records, for how long to spin in ns. */
    public static void main(String[] arguments) throws IOException {
        long count = Long.parseLong(arguments[2]);
        Duration spin = Duration.ofNanos(Long.parseLong(arguments[3]));
        try (Fd file = Fd.open(arguments[1], Fd.O_RDWR);
                Ring ring = Ring.attach(file)) {
            if (arguments[0].equals("write")) {
                try (RingProducer producer = ring.producer()) {
                    producer.spinFor(spin);
                    write(producer, count);
                }
            } else {
                try (RingConsumer consumer = ring.consumer()) {
                    consumer.spinFor(spin);
                    System.out.println(new Reading(consumer).all());
                }
            }
        }
    }

    static void write(RingProducer producer, long count) throws IOException {
        for (long number = 0; number < count; number++) {
            long at = producer.claim(Records.length(number), LONG_TIME);
            if (at == RingProducer.FULL) {
                throw new AssertionError("the consumer does not read");
            }
            Records.fill(producer.memory(), at, number);
            producer.commit((int) number);
        }
    }

    /** Reads and checks records until the producer closes. */
    static final class Reading implements RecordHandler {
        private final RingConsumer consumer;
        private long next;
        private long read;

        Reading(RingConsumer consumer) {
            this.consumer = consumer;
        }

        @Override
        public void record(int type, java.lang.foreign.MemorySegment memory, long offset, int length) {
            long number = Records.checked(type, memory, offset, length);
            if (number < next) {
                throw new AssertionError("record " + number + " after " + (next - 1));
            }
            next = number + 1;
            read++;
        }

        /** "READ records, LOST lost, last NUMBER". */
        String all() throws IOException {
            try {
                while (consumer.await(this, 64, LONG_TIME) != 0) {}
                throw new AssertionError("the producer does not write after " + read);
            } catch (PeerGoneException e) {
                if (e.died()) {
                    throw e;
                }
            }
            return read + " records, " + consumer.lost() + " lost, next " + next;
        }
    }
}
