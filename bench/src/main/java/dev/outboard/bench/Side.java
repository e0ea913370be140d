package dev.outboard.bench;

import java.io.IOException;

/** One of the two sides of a case. */
@FunctionalInterface
interface Side {
    /** Measures one round. Returns a figure in the case's unit. */
    double round() throws IOException;
}
