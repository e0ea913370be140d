package dev.outboard.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** How far apart the two processors are just now: the virtual machine's host moves them, and all figures move with them. */
final class PingPong {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final Programs programs;
    private final List<String> command;

    PingPong(Settings settings, Programs programs) {
        this.programs = programs;
        command = List.of(
                settings.program("pingpong").toString(), "--cpus", Settings.DEVICE_CPU + "," + Settings.DRIVER_CPU);
    }

    /** The round trip of a cache line, in nanoseconds; NaN if it cannot be told. */
    double nanos() {
        try {
            return PeerOutput.number(programs.run(command, TIMEOUT), "pingPongNanos");
        } catch (IOException e) {
            // Nothing that is measured depends on it: the results say that it was not read.
            return Double.NaN;
        }
    }
}
