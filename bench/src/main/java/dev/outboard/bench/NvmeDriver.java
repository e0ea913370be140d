package dev.outboard.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A program or a class that drives a controller over vfio-user, and loads it. */
interface NvmeDriver {
    /** So long each round runs before it is measured, on both sides. */
    double WARM_UP_SECONDS = 0.2;

    /** What a round has: requests a second, and how long all but one of 100 and of 10,000 took at most. */
    List<Quantity> QUANTITIES = List.of(
            new Quantity("", Unit.IOPS), new Quantity(" p99 µs", Unit.MICROS), new Quantity(" p99.99 µs", Unit.MICROS));

    /**
     * Opens the controller, loads it, closes it.
     *
     * @param socket of the target
     * @param load what to do
     * @param seconds how long to measure
     * @return the figures of {@link #QUANTITIES}
     * @throws IOException if the driver or a request failed
     */
    double[] run(Path socket, NvmeLoad load, double seconds) throws IOException;
}
