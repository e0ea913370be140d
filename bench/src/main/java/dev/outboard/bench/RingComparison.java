package dev.outboard.bench;

import dev.outboard.linux.Affinity;
import dev.outboard.linux.Fd;
import dev.outboard.memory.ring.RecordHandler;
import dev.outboard.memory.ring.Ring;
import dev.outboard.memory.ring.RingConsumer;
import dev.outboard.memory.ring.RingProducer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;

/** {@code ring}: records between two Java processes against a bare cache line, and a bare ring, between two of C. */
final class RingComparison implements Comparison {
    private static final int ROUNDS = 15;
    private static final int CAPACITY = 1 << 13;
    // The best of short runs, as the peer's: some fit between two interruptions, longer ones seldom do.
    private static final int RUNS = 25;
    private static final int ROUND_TRIPS = 20_000;
    private static final int WARM_UP_ROUND_TRIPS = 600_000;
    private static final int RECORDS = 4_000_000;
    private static final int STREAMS = 3;
    private static final Duration PEER_TIMEOUT = Duration.ofSeconds(30);
    private static final String PING_PONG = "pingpong";
    private static final String STREAM = "stream";
    private static final RecordHandler NOTHING = (type, memory, offset, length) -> {};

    @Override
    public String name() {
        return "ring";
    }

    @Override
    public String summary() {
        return "records of 8 bytes between two processes, against a bare cache line (pingpong) and a bare ring in C";
    }

    @Override
    public Unit unit() {
        return Unit.NANOS_PER_RECORD;
    }

    @Override
    public String peer(Settings settings) {
        return "C (bench/peers/pingpong, bench/peers/stream)";
    }

    @Override
    public List<String> cases() {
        return List.of(PING_PONG, STREAM);
    }

    @Override
    public void run(Settings settings, Programs programs, Bench bench) throws IOException {
        Path directory = programs.newDirectory("rings");
        Path therePath = directory.resolve("there");
        Path backPath = directory.resolve("back");
        for (String what : cases()) {
            if (!settings.wants(what)) {
                continue;
            }
            boolean pingPong = what.equals(PING_PONG);
            // A process a round: while C is measured, ours must not spin beside it.
            Side round = () -> withEcho(programs, therePath, backPath, pingPong);
            String field = what.equals(PING_PONG) ? "pingPongNanos" : "nanosPerRecord";
            String program = settings.program(what).toString();
            List<String> command = what.equals(PING_PONG)
                    ? List.of(program, "--cpus", Settings.DEVICE_CPU + "," + Settings.DRIVER_CPU)
                    : List.of(program);
            bench.measure(
                    what,
                    settings.roundsOr(ROUNDS),
                    round,
                    () -> PeerOutput.number(programs.run(command, PEER_TIMEOUT), field));
        }
    }

    private static Ring create(Path path) throws IOException {
        try (Fd file = Fd.open(path.toString(), Fd.O_RDWR | Fd.O_CREAT, 0600)) {
            return Ring.create(file, Ring.Kind.SINGLE_CONSUMER, CAPACITY);
        }
    }

    private static double withEcho(Programs programs, Path therePath, Path backPath, boolean pingPong)
            throws IOException {
        Files.deleteIfExists(therePath);
        Files.deleteIfExists(backPath);
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=dev.outboard.linux",
                "--module-path",
                System.getProperty("jdk.module.path"),
                "--module",
                "dev.outboard.bench/" + RingEcho.class.getName(),
                therePath.toString(),
                backPath.toString());
        BitSet cpus = Affinity.get();
        // New rings: in old ones the process of the round before would be missed.
        try (Ring there = create(therePath);
                Ring back = create(backPath);
                RingProducer producer = there.producer();
                RingConsumer consumer = back.consumer()) {
            Programs.Program echo = programs.start(command);
            Affinity.pin(Settings.DRIVER_CPU);
            try {
                Side warmUp = pingPong
                        ? () -> pingPong(producer, consumer, WARM_UP_ROUND_TRIPS)
                        : () -> best(STREAMS, () -> stream(producer, consumer));
                warmUp.round();
                return pingPong
                        ? best(RUNS, () -> pingPong(producer, consumer, ROUND_TRIPS))
                        : best(STREAMS, () -> stream(producer, consumer));
            } finally {
                Affinity.set(cpus);
                programs.end(echo);
            }
        }
    }

    private static double best(int runs, Side run) throws IOException {
        double best = run.round();
        for (int i = 1; i < runs; i++) {
            best = Math.min(best, run.round());
        }
        return best;
    }

    private static double pingPong(RingProducer producer, RingConsumer consumer, int trips) throws IOException {
        long start = System.nanoTime();
        for (int i = 0; i < trips; i++) {
            RingEcho.send(producer, RingEcho.ANSWER, i);
            answer(consumer);
        }
        return (double) (System.nanoTime() - start) / trips;
    }

    private static double stream(RingProducer producer, RingConsumer consumer) throws IOException {
        long start = System.nanoTime();
        for (int i = 1; i < RECORDS; i++) {
            RingEcho.send(producer, RingEcho.SWALLOW, i);
        }
        RingEcho.send(producer, RingEcho.ANSWER, 0);
        answer(consumer);
        return (double) (System.nanoTime() - start) / RECORDS;
    }

    private static void answer(RingConsumer consumer) throws IOException {
        if (consumer.await(NOTHING, 1, RingEcho.TIMEOUT) != 1) {
            throw new IOException("the other process does not answer");
        }
    }
}
