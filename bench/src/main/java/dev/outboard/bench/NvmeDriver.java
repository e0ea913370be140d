package dev.outboard.bench;

import java.io.IOException;
import java.nio.file.Path;

/** A program or a class that drives a controller over vfio-user, and loads it. */
interface NvmeDriver {
    /** So long each round runs before it is measured, on both sides. */
    double WARM_UP_SECONDS = 0.2;

    /**
     * Opens the controller, loads it, closes it.
     *
     * @param socket of the target
     * @param load what to do
     * @param seconds how long to measure
     * @return requests a second
     * @throws IOException if the driver or a request failed
     */
    double iops(Path socket, NvmeLoad load, double seconds) throws IOException;
}
